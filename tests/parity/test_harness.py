"""A file that is put into the folder is checked, and a wrong number in it is found."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
MMCV_OPS = REPOSITORY / 'tests' / 'data' / 'mmcv_ops.npz'

pytestmark = pytest.mark.slow


def run_parity(folder, *argv):
    """pytest's exit status and output, with ``folder`` as the references."""
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', *argv],
        cwd=REPOSITORY,
        env={**os.environ, 'OVSAM_PARITY': str(folder)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_cases_are_chosen_by_name(tmp_path):
    (tmp_path / 'expected').mkdir()
    for name in (
        'ovsam_RN50x16.npz',
        'ovsam_convnext_large_d_320.npz',
        'sam_vit_l_encoder.npz',
        'clip2sam_loss_RN50x16.json',
    ):
        (tmp_path / 'expected' / name).touch()
    status, output = run_parity(tmp_path, 'tests/parity', '--collect-only', '-q')
    assert status == 0
    for test in (
        'test_image_features[ovsam_RN50x16]',
        'test_masks_and_names[ovsam_convnext_large_d_320-box_roi12-12]',
        'test_image_encoder[sam_vit_l_encoder]',
        'test_losses_and_gradients[clip2sam_loss_RN50x16]',
    ):
        assert test in output


def test_a_wrong_number_is_found(tmp_path):
    numbers = dict(np.load(MMCV_OPS))
    numbers['roi_align_12_0_1'][3, 1, 2, 2] += 0.25
    np.savez(tmp_path / 'mmcv_ops.npz', **numbers)
    status, output = run_parity(tmp_path, 'tests/parity/test_mmcv_ops.py')
    assert status == 1 and '1 failed, 1 passed' in output
    table = {
        line.split()[1]: float(line.split()[2])
        for line in output.splitlines()
        if line.startswith('mmcv_ops ')
    }
    assert table['roi_align_12_0_1'] == pytest.approx(0.25, rel=1e-3)
    assert table['roi_align_7_0_1'] < 1e-5 and table['nms_keep'] == 0


def test_no_folder_is_said_and_copies_are_checked(tmp_path):
    folder = tmp_path / 'nowhere'
    status, output = run_parity(
        folder, 'tests/parity/test_mmcv_ops.py', 'tests/parity/test_manifests.py', '-rs'
    )
    assert status == 0 and '2 passed, 3 skipped' in output
    assert f'there is no {folder}' in output
    assert f'no clip_*.json in {folder}; OVSAM_PARITY names the folder' in ' '.join(output.split())
