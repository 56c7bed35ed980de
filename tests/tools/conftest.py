"""A world of a few scenes for the tools to run on."""
import pytest

from tools import make_pictograms


@pytest.fixture(scope='session')
def small_world(tmp_path_factory):
    """Folder of two train, val and test scenes each."""
    out = tmp_path_factory.mktemp('world')
    make_pictograms.main(['--out', str(out), '--splits', 'train', 'val', 'test', '--limit', '2',
                          '--workers', '1'])
    return out
