"""Configs of the small world on scenes that the tests make."""

import pytest

from ovsam.benchmarks.methods import collect_methods
from ovsam.utils.paths import config_path


@pytest.fixture
def methods(small_world, monkeypatch):
    """Reads configs of the small world by their stems."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))

    def collect(*stems, **kwargs):
        options = {'test_dataloader.num_workers': 0, **kwargs.pop('options', {})}
        return collect_methods(
            [config_path(f'mini/{stem}.py') for stem in stems], options=options, **kwargs
        )

    return collect
