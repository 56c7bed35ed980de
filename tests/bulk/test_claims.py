"""One owner at a time, and who comes after it."""

import errno
import json
import os
import threading
import time
from pathlib import Path

import pytest

from ovsam.bulk.claims import ClaimLost, Claims
from ovsam.bulk.worker import Worker


@pytest.fixture
def claims(tmp_path):
    """Makes the claims of workers that run; of machines that cannot be seen if ``far``."""

    def make(rank=0, far=False, patience=100.0):
        worker = Worker.this_process(rank)
        worker = worker._replace(place='far') if far else worker
        return Claims(tmp_path / 'claims', worker, patience)

    return make


def kill(claims, key, turn=0):
    """As if the owner of a claim had been killed."""
    path = claims.path(key, turn)
    content = json.loads(path.read_text())
    content['worker'][3] = 'long ago'
    path.write_text(json.dumps(content))


def test_nothing_is_made_before_it_is_needed(claims, tmp_path):
    claims()
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match='patience must be positive; got 0'):
        claims(patience=0)


def test_one_owner(claims):
    first = claims().take('a')
    assert (first.key, first.turn) == ('a', 0)
    assert claims(1).take('a') is None
    assert claims(1).take('b').turn == 0
    first.remove()
    assert claims(1).take('a').turn == 0


def test_one_owner_of_many_who_try_at_once(claims):
    takers = [claims(rank) for rank in range(16)]
    gate, found = threading.Barrier(16), []

    def take(taker):
        gate.wait()
        found.append(taker.take('a'))

    threads = [threading.Thread(target=take, args=(taker,)) for taker in takers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in found) == 1


@pytest.mark.parametrize('error', [KeyboardInterrupt(), SystemExit(143), OSError(28, 'full')])
def test_who_was_stopped_leaves_it_to_others_at_once(claims, error):
    with pytest.raises(type(error)), claims(far=True).take('a').held():
        raise error
    second = claims(1).take('a')
    assert second.turn == 1 and second.stopped_turns() == [True]


def test_who_failed_is_remembered(claims):
    first = claims(far=True).take('a')
    with pytest.raises(RuntimeError), first.held():
        first.fail()
        raise RuntimeError
    assert claims(1).take('a').stopped_turns() == [False]


def test_who_was_killed_on_this_machine_is_followed_at_once(claims):
    first = claims().take('a')
    kill(claims(), 'a')
    second = claims(1).take('a')
    assert second.turn == 1 and second.stopped_turns() == [False]
    with pytest.raises(ClaimLost, match='taken over by another process'):
        first.beat()
    second.beat()
    second.remove()
    with pytest.raises(ClaimLost, match='a has been done by another process'):
        second.beat()


def test_who_cannot_be_seen_is_followed_after_a_while(claims):
    first = claims(far=True).take('a')
    other = claims(1, patience=0.2)
    assert other.take('a') is None
    time.sleep(0.15)
    os.utime(first.file('.claim'), ns=(5, 5))  # a sign, by a clock that is far off
    assert other.take('a') is None
    time.sleep(0.15)
    assert other.take('a') is None
    time.sleep(0.1)
    assert other.take('a').turn == 1


def test_a_claim_that_is_being_written_is_one(claims):
    (claims().folder).mkdir(parents=True)
    claims().path('a', 0).touch()
    other = claims(1, patience=0.05)
    assert other.take('a') is None
    time.sleep(0.1)
    assert other.take('a').turn == 1


def test_full_disk(claims, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(path, mode='r', **kwargs):
        file = open(path, mode, **kwargs)
        if mode == 'x':
            file.close()
            raise full
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'open', write)
        with pytest.raises(OSError, match='No space left'):
            claims().take('a')
    assert claims().take('a').turn == 0


def test_files_beside_a_claim_go_with_it(claims):
    first = claims().take('a')
    first.file('.jsonl').write_text('x')
    kill(claims(), 'a')
    other = claims().take('ab')
    second = claims().take('a')
    assert second.file('.jsonl', 0).read_text() == 'x'
    second.remove()
    assert [path.name for path in claims().folder.iterdir()] == [other.file('.claim').name]


def test_once(claims, tmp_path):
    target, calls = tmp_path / 'done', []

    def do(claim):
        calls.append(claim.turn)
        target.write_text('done')

    for rank in range(2):
        claims(rank).once('work', target.exists, do)
    assert calls == [0] and not list(claims().folder.iterdir())


def test_once_more_after_an_error(claims, tmp_path):
    target, calls = tmp_path / 'done', []

    def do(claim):
        calls.append(claim.turn)
        if len(calls) == 1:
            raise ValueError('bad')
        target.write_text('done')

    with pytest.raises(ValueError, match='bad'):
        claims().once('work', target.exists, do)
    claims().once('work', target.exists, do)
    assert calls == [0, 1]


def test_once_waits_for_whom_does_it(claims, tmp_path):
    target = tmp_path / 'done'
    first = claims(far=True).take('work')
    waiting = threading.Thread(
        target=claims(1, patience=1.0).once,
        args=('work', target.exists, lambda claim: pytest.fail('twice')),
    )
    waiting.start()
    time.sleep(0.1)
    assert waiting.is_alive()
    target.write_text('done')
    first.remove()
    waiting.join(10)
    assert not waiting.is_alive()
