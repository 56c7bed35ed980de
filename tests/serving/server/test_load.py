"""Fifty clients at once, for OVSAM_LOAD_SECONDS: each gets its own answers, and memory is bounded.

The server is a process of its own with the shipped weights of the small world.
"""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

httpx = pytest.importorskip('httpx', reason='pip install ".[serve]"')
pytest.importorskip('fastapi', reason='pip install ".[serve]"')

from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.renderer import render_scene
from tests.processes import free_port
from tests.serving.any_labeling.real_client import mark, payload
from tests.waiting import wait_until

SECONDS = float(os.environ.get('OVSAM_LOAD_SECONDS', 30))
CLIENTS, QUEUE, KEPT = 50, 16, 8
GROWTH = 200e6  # bytes that the process may grow by once each has had an answer
BUSY = (429, 503)
VOCABULARIES = (['sun', 'moon', 'star'], ['cat', 'dog'], ['tree', 'house', 'car', 'umbrella'])
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 300)]


@pytest.fixture(scope='module')
def server():
    """The address of a running server, and its process."""
    port = free_port()
    flags = ['--port', port, '--device', 'cpu', '--queue', QUEUE, '--cached-images', KEPT]
    more = ['--cache-megabytes', 40, '--points-per-side', 4, '--per-minute', 1200]
    process = subprocess.Popen(
        [sys.executable, '-W', 'ignore', '-m', 'ovsam_cli', 'serve']
        + [str(each) for each in (*flags, *more)],
        env={**os.environ, 'OVSAM_TOKEN': 'secret', 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = []
    reader = threading.Thread(target=lambda: output.extend(process.stdout))
    reader.start()
    try:
        wait_until(lambda: any('Uvicorn running' in line for line in output), process)
        yield f'http://127.0.0.1:{port}', process
    finally:
        process.terminate()
        process.wait(60)
        reader.join()
    assert not [line for line in output if 'Traceback' in line or ' 500 ' in line]


@pytest.fixture(scope='module')
def pictures(file_of):
    """Twelve scenes, more than are kept, as files."""
    names = range(len(pictogram_names()))
    files = []
    for seed in range(12):
        labels = random.Random(seed).sample(names, 3)
        scene = render_scene(np.random.default_rng(seed), labels, 128, (30, 60))
        files.append(file_of(scene.image))
    return files


class Client(threading.Thread):
    """A user with a vocabulary of their own, who looks at one picture after the other."""

    def __init__(self, number, url, pictures):
        super().__init__()
        self.random = random.Random(number)
        self.names = VOCABULARIES[number % len(VOCABULARIES)]
        self.pictures, self.end = pictures, 0.0
        self.statuses, self.found, self.wrong = Counter(), {}, []
        # As a proxy on this machine says it.
        headers = {'Token': 'secret', 'X-Forwarded-For': f'203.0.113.{number}'}
        # Without certificates, which take long to read fifty times.
        self.http = httpx.Client(base_url=url, headers=headers, timeout=200, verify=False)

    def run(self):
        try:
            while time.monotonic() < self.end or not self.statuses[200]:
                self.random.choice([self.any_labeling] * 3 + [self.programs, self.everything])()
        except Exception as error:
            self.wrong.append(repr(error))

    def ask(self, method, path, **kwargs):
        """The JSON of an answer; None if the server is busy, or has forgotten the picture."""
        answer = self.http.request(method, path, **kwargs)
        self.statuses[answer.status_code] += 1
        if answer.status_code in BUSY:
            assert answer.headers['retry-after'].isdigit() and 'detail' in answer.json()
            time.sleep(int(answer.headers['retry-after']) * self.random.uniform(1, 2))
            return None
        if answer.status_code == 404:
            assert 'send it again' in answer.json()['detail']
            return None
        assert answer.status_code in (200, 201), f'{answer.status_code} {answer.text[:300]}'
        return answer.json()

    def keep(self, question, names_and_scores):
        """Whoever asks the same gets the same, in words of their own."""
        same = self.found.setdefault((question, tuple(self.names)), names_and_scores)
        assert {name for name, _ in names_and_scores} <= set(self.names), names_and_scores
        assert [name for name, _ in same] == [name for name, _ in names_and_scores]
        scores = [[score for _, score in each] for each in (same, names_and_scores)]
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)

    def any_labeling(self):
        place, x = self.random.randrange(12), self.random.choice([32, 64, 96])
        content = payload(
            'ovsam',
            self.pictures[place],
            text_prompt='.'.join(self.names),
            marks=[mark('point', x, 64)],
        )
        said = self.ask('POST', '/v1/predict', json=content)
        if said is not None:
            assert said['success'], said
            shapes = said['data']['shapes']
            self.keep(('click', place, x), sorted({(s['label'], s['score']) for s in shapes}))

    def programs(self):
        place, x = self.random.randrange(4), self.random.choice([32, 64, 96])
        sent = self.ask('POST', '/api/images', content=self.pictures[place])
        if sent is None:
            return
        asked = {'prompts': [{'points': [[x, 64]]}], 'vocabulary': self.names, 'masks': 'rle'}
        for _ in range(3):
            said = self.ask('POST', f'/api/images/{sent["image"]}/click', json=asked)
            if said is not None:
                (each,) = said['objects']
                self.keep(('program', place, x), [(each['name'], each['score'])])

    def everything(self):
        place = self.random.randrange(12)
        content = payload(
            'ovsam-everything', self.pictures[place], text_prompt=','.join(self.names)
        )
        said = self.ask('POST', '/v1/predict', json=content)
        if said is not None:
            shapes = said['data']['shapes']
            self.keep(('all', place), sorted({(s['label'], s['score']) for s in shapes}))


def resident(process):
    """Bytes of memory that a process has."""
    return int(Path(f'/proc/{process.pid}/statm').read_text().split()[1]) * os.sysconf(
        'SC_PAGESIZE'
    )


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='no /proc to read memory from')
def test_fifty_clients_at_once(server, pictures):
    url, process = server
    clients = [Client(number, url, pictures) for number in range(CLIENTS)]
    end = time.monotonic() + SECONDS
    for client in clients:
        client.end = end
        client.start()
    # By then what is kept is full.
    wait_until(lambda: all(client.statuses[200] or client.wrong for client in clients), process)
    before = resident(process)
    for client in clients:
        client.join()
    after = resident(process)
    statuses = sum((client.statuses for client in clients), Counter())
    print(f'{statuses}; memory {before / 1e6:.0f} MB, then {after / 1e6:.0f} MB')
    assert [wrong for client in clients for wrong in client.wrong] == []
    assert set(statuses) <= {200, 201, 404, *BUSY}
    assert after - before < GROWTH
    # Users with the same words got the same answers.
    answers = {}
    for client in clients:
        for question, said in client.found.items():
            same = answers.setdefault(question, said)
            assert [name for name, _ in said] == [name for name, _ in same]
    assert len({names for _, names in answers}) == len(VOCABULARIES)
    health = httpx.get(f'{url}/health', timeout=60)
    assert health.json()['status'] == 'UP'
