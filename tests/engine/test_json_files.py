"""Files of figures that mmengine writes are JSON."""

import json
from unittest.mock import Mock

import mmengine
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.fileio.handlers.registry_utils import file_handlers
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend

from ovsam.engine.runner import build_runner


@pytest.fixture(autouse=True)
def runner(monkeypatch):
    """Building any runner is enough."""
    monkeypatch.setitem(file_handlers, 'json', file_handlers['json'])
    monkeypatch.setattr(Runner, 'from_cfg', lambda _: Mock())
    build_runner(Config({}))


def strict(text):
    def refuse(name):
        raise ValueError(f'{name} is not JSON')

    return json.loads(text, parse_constant=refuse)


def test_nothing(tmp_path):
    mmengine.dump({}, tmp_path / 'a.json')
    assert (tmp_path / 'a.json').read_text() == '{}'


def test_scalars(tmp_path):
    backend = LocalVisBackend(str(tmp_path))
    for step, value in enumerate((float('nan'), np.float32('inf'), np.float64('nan'), 5.0)):
        backend.add_scalars({'ov/Acc_n': value}, step=step, file_path='metrics.json')
    for name in ('scalars.json', 'metrics.json'):
        lines = (tmp_path / name).read_text().splitlines()
        assert [strict(line)['ov/Acc_n'] for line in lines] == [None, None, None, 5]


def test_metrics_as_text():
    assert strict(mmengine.dump({'a': [float('nan')], 'b': {1}}, file_format='json')) == {
        'a': [None],
        'b': [1],
    }


def test_detections_stay_as_pycocotools_reads_them(tmp_path):
    mmengine.dump([{'score': float('nan')}], tmp_path / 'a.json')
    (row,) = mmengine.load(tmp_path / 'a.json')
    assert np.isnan(row['score'])
