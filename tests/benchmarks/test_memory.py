import mmap
import os
from pathlib import Path

import pytest

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.memory import in_fresh_process, measure_memory, peak_resident_bytes

STATM = Path('/proc/self/statm')


@pytest.mark.skipif(not STATM.exists(), reason='tells what is resident now')
def test_the_peak_stays_when_memory_is_given_back():
    before = peak_resident_bytes()
    resident = int(STATM.read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')
    # Pages of its own: what the process has freed, but kept, would not count again.
    with mmap.mmap(-1, before - resident + (32 << 20)) as block:
        for start in range(0, len(block), mmap.PAGESIZE):
            block[start] = 1
        during = peak_resident_bytes()
    assert during > before + (16 << 20)
    assert peak_resident_bytes() >= during - (1 << 20)  # threads count for themselves at first


def test_another_process_is_asked():
    assert in_fresh_process(os.getpid) != os.getpid()


def test_a_process_that_dies(monkeypatch):
    monkeypatch.setattr('torch.set_num_threads', abs)  # for which it need not import torch
    with pytest.raises(OSError, match='died, most likely because the machine has too little'):
        in_fresh_process(os._exit, 1)


@pytest.mark.slow
def test_memory_of_the_small_world():
    use = in_fresh_process(measure_memory, load_config('mini'), 2)
    assert 0 < use.imported <= use.built <= use.peak
    assert use.latency.image > 0 and use.latency.prompts > 0


@pytest.mark.slow
def test_memory_at_the_size_of_the_paper():
    """A machine of 16 GB has room for it, float32 on the CPU and text encoder included."""
    use = in_fresh_process(measure_memory, load_config('ovsam/ovsam_RN50x16_coco_box.py'), 20)
    assert 2e9 < use.built < use.peak < 12e9
