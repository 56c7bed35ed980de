"""Configs of the small world on scenes that the tests make."""
import pytest

from ovsam.comparison import collect_methods
from ovsam.utils.paths import config_path
from tools import make_pictograms


@pytest.fixture(scope='session')
def scenes(tmp_path_factory):
    """Folder of two test scenes."""
    out = tmp_path_factory.mktemp('scenes')
    make_pictograms.main(['--out', str(out), '--splits', 'test', '--limit', '2', '--workers', '1'])
    return out


@pytest.fixture
def methods(scenes, monkeypatch):
    """Reads configs of the small world by their stems."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(scenes))

    def collect(*stems, **kwargs):
        options = {'test_dataloader.num_workers': 0, **kwargs.pop('options', {})}
        return collect_methods([config_path(f'mini/{stem}.py') for stem in stems],
                               options=options, **kwargs)

    return collect
