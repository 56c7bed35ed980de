"""What a GPU computes, beside the CPU: ``make test-gpu``."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms, roi_align, soft_nms

from ovsam.apis import OVSAMPredictor, make_prompts
from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.masks.mask_iou import mask_iou
from ovsam.prompts import Prompts
from ovsam.utils.images import read_image
from ovsam.utils.paths import config_path
from tests.processes import free_port
from tools import train as train_tool

DEVICE = os.environ.get('OVSAM_TEST_DEVICE', 'cuda')  # 'cpu' tries the tests
pytestmark = pytest.mark.skipif(
    DEVICE == 'cuda' and not torch.cuda.is_available(), reason='no CUDA GPU: nothing was tested'
)
BOXES = [[20, 20, 120, 120], [90, 60, 200, 190], [130, 10, 250, 110]]
OPTIONS = [
    'train_cfg.max_iters=2',
    'train_cfg.val_interval=9',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'default_hooks.checkpoint.interval=2',
]


@pytest.fixture
def picture(small_world):
    return read_image(min((small_world / 'test').rglob('*.jpg')))


@pytest.fixture
def small_data(small_world, monkeypatch):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))


@pytest.mark.parametrize('model', ['mini', 'photo'])
@pytest.mark.parametrize(('precision', 'least'), [('fp32', 0.99), ('bf16', 0.95)])
def test_masks_and_names_are_those_of_the_cpu(model, precision, least, picture, request):
    if model == 'photo':
        request.getfixturevalue('photo_packages')
    answers = []
    for device, kind in (('cpu', 'fp32'), (DEVICE, precision)):
        predictor = OVSAMPredictor(model, device=device, precision=kind)
        predictor.set_image(picture)
        assert len(predictor.predict([])) == 0
        answers.append([predictor.predict(boxes=BOXES), predictor.predict([[60, 70]])])
    for expected, found in zip(*answers):
        assert all(mask_iou(*pair) > least for pair in zip(found.masks, expected.masks))
        assert len(found.masks) == len(expected.masks) > 0
        if precision == 'fp32':
            assert found.labels == expected.labels
            np.testing.assert_allclose(found.label_scores, expected.label_scores, atol=5e-3)


def test_everything_and_texts(picture):
    predictor = OVSAMPredictor('mini', device=DEVICE)
    predictor.set_image(picture)
    found = predictor.everything(points_per_side=8)
    assert len(found) and len(predictor.find(found.labels[0], threshold=0.0, among=found))


def test_regions_of_features():
    generator = torch.Generator().manual_seed(0)
    level = torch.rand(2, 3, 40, 56, generator=generator)
    corners = 200 * torch.rand(9, 2, generator=generator)
    rois = torch.cat(
        [torch.arange(9)[:, None] % 2, corners, corners + 20 + 60 * torch.rand(9, 2)], dim=1
    )
    results = []
    for device in ('cpu', DEVICE):
        leaf = level.to(device).requires_grad_()
        grids = roi_align(leaf, rois.to(device), (7, 7), 0.25, 0, 'avg', True)
        (grids * torch.arange(7, device=device)).sum().backward()
        nothing = roi_align(leaf, rois[:0].to(device), (7, 7), 0.25, 0, 'avg', True)
        assert nothing.shape == (0, 3, 7, 7)
        results.append((grids.detach().cpu(), leaf.grad.cpu()))
    for found, expected in zip(*results):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_suppression_of_boxes():
    generator = torch.Generator().manual_seed(0)
    corners = 100 * torch.rand(200, 2, generator=generator)
    boxes = torch.cat([corners, corners + 10 + 30 * torch.rand(200, 2, generator=generator)], dim=1)
    scores, labels = torch.rand(200, generator=generator), torch.arange(200) % 3
    kept = []
    for device in ('cpu', DEVICE):
        given = boxes.to(device), scores.to(device)
        grouped = batched_nms(*given, labels.to(device), dict(type='nms', iou_threshold=0.5))
        kept.append([nms(*given, 0.5)[1], soft_nms(*given, 0.5)[1], grouped[1]])
    for found, expected in zip(*kept):
        assert found.cpu().tolist() == expected.tolist()


@pytest.mark.parametrize(
    'stage', ['clip', 'sam_half', 'sam2clip', 'sam2clip_masks', 'clip2sam_joint', 'interactive']
)
def test_two_steps_of_a_stage_in_mixed_precision(stage, small_data, tmp_path):
    config = str(config_path(f'mini/{stage}.py'))
    options = [*OPTIONS, 'train_dataloader.dataset.num_samples=8'] if stage == 'clip' else OPTIONS
    arguments = [config, '--work-dir', str(tmp_path), '--amp', '--cfg-options', *options]
    assert train_tool.main(arguments) == 0
    learned = load_from_local(str(tmp_path / 'iter_2.pth'))['state_dict']
    assert learned and all(torch.isfinite(value).all() for value in learned.values())


@pytest.mark.skipif(DEVICE == 'cpu', reason='the CPU has no NCCL')
def test_one_process_of_nccl(small_data, tmp_path):
    ended = subprocess.run(
        [
            'bash',
            str(Path(train_tool.__file__).with_name('dist_train.sh')),
            str(config_path('mini/clip2sam_joint.py')),
            '1',
            '--work-dir',
            str(tmp_path),
            '--cfg-options',
            *OPTIONS,
        ],
        env={
            **os.environ,
            'PYTHON': sys.executable,
            'PORT': str(free_port()),
            'NCCL_DEBUG': 'INFO',
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert 'NCCL' in ended.stdout + ended.stderr and (tmp_path / 'iter_2.pth').is_file()


@pytest.mark.skipif(DEVICE == 'cpu', reason='the CPU counts no allocations')
def test_memory_of_three_hundred_prompts_is_that_of_a_chunk(picture):
    predictor = OVSAMPredictor('mini', device=DEVICE)
    predictor.set_image(picture)
    peaks = []
    for count in (predictor.model.chunk_size, 300):
        torch.cuda.reset_peak_memory_stats()
        predictor.predict(boxes=[BOXES[0]] * count)
        peaks.append(torch.cuda.max_memory_allocated())
    assert peaks[1] < 1.25 * peaks[0]


@pytest.mark.skipif(DEVICE == 'cpu', reason='nobody waits for the CPU')
def test_a_click_waits_for_nothing(picture):
    """As ``test_pretended_gpu.py`` has it, and as the driver sees it."""
    predictor = OVSAMPredictor('mini', device=DEVICE)
    model, bank = predictor.model, predictor.bank
    predictor.set_image(picture)
    image = predictor._encoded()
    prompts = Prompts.of(make_prompts([[60.0, 70.0]]).given(), DEVICE)
    model.mask_cleaning = torch.nn.ModuleList()
    for mode in ('default', 'error'):  # kernels may wait when they are first used
        torch.cuda.set_sync_debug_mode(mode)
        try:
            with torch.no_grad():
                regions, _ = model.segment_regions(image.features, prompts, image.padded[1])
                model.name(model.region_embeddings(image.features, regions), bank, 5)
        finally:
            torch.cuda.set_sync_debug_mode('default')
