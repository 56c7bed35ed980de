"""Jobs on a Ray cluster of two nodes on this machine, of which actors and a node are killed."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from ovsam.bulk import Summary, run_job
from ovsam.bulk.on_ray import Labeller, on_ray
from ovsam.bulk.run import Todo, in_this_process
from tests.processes import free_port
from tests.waiting import wait_until

try:
    import ray
except ImportError:
    ray = None

ALL = '0123456789'
PACKAGE = Path(__file__).parents[2] / 'projects'
needs_ray = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(ray is None, reason='Ray is not installed: make test-ray'),
]


@pytest.mark.skipif(ray is not None, reason='Ray is installed')
def test_without_ray():
    with pytest.raises(ImportError, match=r'installed .*pip install ray, or .*"\.\[ray\]"'):
        on_ray(lambda job: None)


@pytest.mark.parametrize(
    'error',
    [
        FileNotFoundError('photos, where images were, is not there'),
        OSError(errno.ENOSPC, 'No space left on device'),
        OSError(errno.EIO, 'Input/output error', Path('a.jsonl')),
    ],
)
def test_a_fault_of_the_disk_comes_as_it_was(error, monkeypatch):
    def fails(*args):
        raise error

    monkeypatch.setattr('ovsam.bulk.on_ray.label_images', fails)
    labeller = object.__new__(Labeller)  # which needs Ray
    labeller._job = labeller._annotate = None
    labeller._todo = Todo('run', np.arange(2), {}, {})
    (said,) = labeller({'id': np.arange(1)})['said']
    come = OSError(*json.loads(said)[2])
    assert (come.errno, str(come)) == (error.errno, re.sub(r'PosixPath\((.*)\)', r'\1', str(error)))


class Node:
    """A node, whose processes end with it."""

    def __init__(self, log, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'ray.scripts.scripts', 'start', '--block', *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=dict(
                os.environ,
                PYTHONPATH=str(PACKAGE),
                OMP_NUM_THREADS='1',
                RAY_USAGE_STATS_ENABLED='0',
                # The sign of a killed node comes after 3 s in place of 30.
                RAY_health_check_initial_delay_ms='1000',
                RAY_health_check_period_ms='1000',
                RAY_health_check_failure_threshold='3',
            ),
        )

    def processes(self):
        """It and all that it started, by their parents."""
        found, known = [self._process.pid], {}
        for status in Path('/proc').glob('[0-9]*/stat'):
            try:
                known[int(status.parent.name)] = int(
                    status.read_text().rpartition(')')[2].split()[1]
                )
            except OSError:
                continue
        for pid in found:
            found += [child for child, parent in known.items() if parent == pid]
        return found

    def kill(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()


@pytest.fixture
def cluster(tmp_path):
    """The address and two nodes of one CPU each."""
    address = f'{ray.util.get_node_ip_address()}:{free_port()}'
    # Ray's sockets need short paths.
    temporary = tempfile.mkdtemp(prefix='ray', dir='/tmp')
    common = ['--num-cpus=1', '--num-gpus=0', '--object-store-memory=100000000']
    nodes = []
    with (tmp_path / 'ray.log').open('w') as log:
        try:
            head = [
                '--head',
                f'--port={address.rpartition(":")[2]}',
                '--include-dashboard=false',
                f'--temp-dir={temporary}',
            ]
            nodes.append(Node(log, *head, *common))
            wait_until(lambda: 'runtime started' in (tmp_path / 'ray.log').read_text())
            nodes.append(Node(log, f'--address={address}', *common))
            wait_until(lambda: (tmp_path / 'ray.log').read_text().count('runtime started') == 2)
            yield address, nodes
        finally:
            for node in reversed(nodes):
                node.kill()
            shutil.rmtree(temporary, ignore_errors=True)


def labeller(signs: Path, kills: str = '', waits: str = ''):
    """What makes an annotate that leaves a sign of the process at each image."""

    def make(job):
        def annotate(file):
            words = file.read_text().split()
            (signs / f'{file.stem}.{os.getpid()}').touch()
            if file.stem == kills:
                os.kill(os.getpid(), signal.SIGKILL)
            while file.stem in waits and not (signs / 'go').exists():
                time.sleep(0.05)
            if words == ['broken']:
                raise ValueError('it is\nbroken')
            found = [
                {'category_name': word, 'score': 0.5, 'bbox': [place, 0, 1, 1], 'area': 1}
                for place, word in enumerate(words)
            ]
            return {'height': 8, 'width': 9, 'annotations': found}

        return annotate

    return make


@pytest.fixture
def signs(tmp_path):
    folder = tmp_path / 'signs'
    folder.mkdir()
    return folder


@pytest.fixture
def alone(bench, signs):
    """What one process writes that nothing happens to."""
    job = bench.begin()
    run_job(job, in_this_process(labeller(signs)(job)))
    content = bench.coco()
    shutil.rmtree(bench.out)
    for sign in signs.iterdir():
        sign.unlink()
    return content


def at_work(signs, image):
    """The process that is at an image, once one is."""
    wait_until(lambda: list(signs.glob(f'{image}.*')))
    return int(next(signs.glob(f'{image}.*')).suffix[1:])


class Meanwhile(threading.Thread):
    """Does something beside a job; its error is the test's."""

    def __init__(self, action):
        super().__init__(daemon=True)
        self._action, self.error = action, None
        self.start()

    def run(self):
        try:
            self._action()
        except BaseException as error:
            self.error = error

    def check(self):
        self.join(10)
        assert self.error is None and not self.is_alive()


def run(bench, address, make):
    return run_job(bench.begin(), on_ray(make, address))


class TestTwoNodes:
    """All on one cluster would be quicker; each kills a part of its own."""

    pytestmark = needs_ray

    def test_an_actor_is_killed(self, bench, cluster, alone, signs):
        """The image that it was at is done by its follower, and no other one is done again."""

        def kill():
            os.kill(at_work(signs, '5'), signal.SIGKILL)
            (signs / 'go').touch()

        meanwhile = Meanwhile(kill)
        summary = run(bench, cluster[0], labeller(signs, waits='5'))
        meanwhile.check()
        assert summary == Summary(images=8, annotations=14, left_out=2, set_aside=0)
        assert same(bench.coco(), alone)
        tries = [len(list(signs.glob(f'{number}.*'))) for number in range(10)]
        assert tries == [1, 1, 1, 1, 1, 2, 1, 1, 1, 1]

    def test_a_node_is_killed(self, bench, cluster, alone, signs):
        """The other one has no CPU to spare until it has done all else."""
        address, nodes = cluster

        def kill():
            at_work(signs, '0')
            wait_until(lambda: on_second() is not None)
            nodes[1].kill()
            (signs / 'go').touch()

        def on_second():
            mine = set(nodes[1].processes())
            return next((s for s in signs.iterdir() if int(s.suffix[1:] or 0) in mine), None)

        meanwhile = Meanwhile(kill)
        summary = run(bench, address, labeller(signs, waits=ALL))
        meanwhile.check()
        assert summary == Summary(images=8, annotations=14, left_out=2, set_aside=0)
        assert same(bench.coco(), alone)

    def test_an_image_that_kills_is_set_aside(self, bench, cluster, signs):
        summary = run(bench, cluster[0], labeller(signs, kills='6'))
        assert summary == Summary(images=7, annotations=13, left_out=3, set_aside=1)
        assert len(list(signs.glob('6.*'))) == 2
        record = bench.left_out()['6.png']
        assert record['set_aside'] and '2 processes ended at it: its process' in record['error']


def same(found, expected):
    return all(found[key] == expected[key] for key in ('images', 'annotations', 'categories'))
