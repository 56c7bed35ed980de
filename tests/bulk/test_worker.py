"""Whether another process still runs, as far as that can be seen."""

import os
import subprocess
import sys

import pytest

from ovsam.bulk.worker import Worker

pytestmark = pytest.mark.skipif(sys.platform != 'linux', reason='only Linux shows its processes')


@pytest.fixture
def sleeper():
    process = subprocess.Popen(['sleep', '60'])
    yield process
    process.kill()
    process.wait()


def of(process) -> Worker:
    """As :meth:`Worker.this_process` would say it of another one."""
    from ovsam.bulk.worker import _state

    return Worker.this_process()._replace(pid=process.pid, started=_state(process.pid).started)


def test_this_one_runs():
    this = Worker.this_process(3)
    assert not this.has_ended() and this.pid == os.getpid() and this.name.endswith('rank 3')


def test_one_that_was_killed_has_ended_before_its_parent_knows(sleeper):
    worker = of(sleeper)
    assert not worker.has_ended()
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert worker.has_ended()
    sleeper.wait()
    assert worker.has_ended()


def test_another_process_of_the_same_number_is_another(sleeper):
    assert of(sleeper)._replace(started='1').has_ended()


def test_other_machines_cannot_be_seen(sleeper):
    gone = of(sleeper)._replace(started='1')
    assert not gone._replace(place='another').has_ended()
    assert not gone._replace(place='').has_ended()
