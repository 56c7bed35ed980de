"""mmcv's operators give the numbers of the compiled ones, whichever are installed.

``tests/data/mmcv_ops.npz`` holds what mmcv 2.1.0, compiled, prints for the inputs
made here: RoIAlign sub-sampled, its gradient, and which boxes each NMS keeps.
"""

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.ops import (
    batched_nms,
    deform_conv2d,
    modulated_deform_conv2d,
    nms,
    nms_match,
    roi_align,
    soft_nms,
)

from ovsam.ops import compiled_ops_in_use, extension, provide_mmcv_ops

COMPILED = compiled_ops_in_use()
stand_in_only = pytest.mark.skipif(COMPILED, reason='mmcv has compiled operators')
EXPECTED = np.load(Path(__file__).parents[1] / 'data' / 'mmcv_ops.npz')
IOU = {'iou_threshold': 0.5}
ROI_CASES = [(7, 0, 1), (12, 0, 1), (7, 2, 1), (7, 0, 0)]


def feature_map():
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(b'roi_feature')))
    return torch.from_numpy(rng.standard_normal((2, 8, 40, 56)).astype('float32'))


def expected(name):
    return torch.from_numpy(EXPECTED[name])


def test_nothing_to_suppress_or_pool():
    no_boxes = torch.zeros(0, 4)
    dets, keep = nms(no_boxes, torch.zeros(0), 0.5)
    assert dets.shape == (0, 5) and keep.shape == (0,)
    dets, keep = soft_nms(no_boxes, torch.zeros(0), 0.5)
    assert dets.shape == (0, 5) and keep.shape == (0,)
    assert roi_align(feature_map(), torch.zeros(0, 5), (7, 7)).shape == (0, 8, 7, 7)


@stand_in_only
def test_focal_loss_and_gradient():
    """What mmdet asks for on a GPU, against its own formula for the CPU."""
    from mmcv.ops import sigmoid_focal_loss
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

    generator = torch.Generator().manual_seed(0)
    target = torch.tensor([0, 2, 3, 3, 1])  # 3 is background
    is_class = torch.nn.functional.one_hot(target, 4)[:, :3]
    found = torch.randn(5, 3, generator=generator)
    expected = found.clone().requires_grad_()
    found.requires_grad_()
    assert sigmoid_focal_loss(found[:0], target[:0], 2.0, 0.25, None, 'sum') == 0
    loss = sigmoid_focal_loss(found, target, 2.0, 0.25, None, 'mean')
    ours = py_sigmoid_focal_loss(expected, is_class, gamma=2.0, alpha=0.25, reduction='none')
    torch.testing.assert_close(loss, ours.sum() / 5)
    (3 * loss).backward()
    (3 * ours.sum() / 5).backward()
    torch.testing.assert_close(found.grad, expected.grad)
    weight = torch.tensor([2.0, 1.0, 3.0])
    weighed = sigmoid_focal_loss(found, target, 2.0, 0.25, weight, 'none')
    torch.testing.assert_close(weighed, ours * torch.tensor([2.0, 3, 1, 1, 1])[:, None])


@stand_in_only
def test_deformable_attention_and_gradient():
    """What mmcv asks its compiled operator for on a GPU, against what it computes on a CPU."""
    from mmcv.ops.multi_scale_deform_attn import (
        MultiScaleDeformableAttnFunction,
        multi_scale_deformable_attn_pytorch,
    )

    rng = torch.Generator().manual_seed(0)
    shapes = torch.tensor([[4, 6], [2, 3]])
    starts = torch.tensor([0, 24])
    sizes = ((2, 30, 2, 4), (2, 5, 2, 2, 3, 2), (2, 5, 2, 2, 3))
    results = []
    for compute in ('compiled', 'python'):
        rng.manual_seed(0)
        inputs = [torch.rand(*size, generator=rng).requires_grad_() for size in sizes]
        if compute == 'compiled':
            output = MultiScaleDeformableAttnFunction.apply(
                inputs[0], shapes, starts, *inputs[1:], 64
            )
        else:
            output = multi_scale_deformable_attn_pytorch(inputs[0], shapes, *inputs[1:])
        (output**2).sum().backward()
        results.append([output, *(tensor.grad for tensor in inputs)])
    for mine, theirs in zip(*results):
        torch.testing.assert_close(mine, theirs)
        assert theirs.abs().sum() > 0


@stand_in_only
@pytest.mark.parametrize('modulated', [True, False])
def test_deformable_convolutions(modulated):
    """Without an offset they are convolutions; by a whole pixel, those of the moved image."""
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(2, 4, 9, 11, generator=rng)
    weight = torch.rand(6, 2, 3, 3, generator=rng)
    shared = dict(stride=(2, 1), padding=(1, 2), groups=2)

    def convolve(offset):
        if modulated:
            mask = torch.full((2, 9, *offset.shape[-2:]), 0.5)
            return 2 * modulated_deform_conv2d(
                image,
                offset,
                mask,
                weight,
                None,
                shared['stride'],
                shared['padding'],
                1,
                shared['groups'],
                1,
            )
        return deform_conv2d(
            image, offset, weight, shared['stride'], shared['padding'], 1, shared['groups'], 1
        )

    plain = torch.nn.functional.conv2d(image, weight, **shared)
    offset = torch.zeros(2, 18, *plain.shape[-2:])
    torch.testing.assert_close(convolve(offset), plain)
    offset[:, 1::2] = 1  # x, after y
    moved = torch.nn.functional.conv2d(
        torch.nn.functional.pad(image, (0, 1))[..., 1:], weight, **shared
    )
    inside = (slice(None), slice(None), slice(None), slice(2, -2))
    torch.testing.assert_close(convolve(offset)[inside], moved[inside])


@stand_in_only
def test_offsets_of_a_finer_level_are_read_as_the_compiled_operator_does():
    rng = torch.Generator().manual_seed(0)
    image, weight = torch.rand(2, 2, 4, 4, generator=rng), torch.rand(3, 2, 3, 3, generator=rng)
    offset, mask = torch.rand(2, 18, 8, 8, generator=rng), torch.rand(2, 9, 8, 8, generator=rng)
    memory = [
        maps.reshape(2, -1)[:, : maps.shape[1] * 16].reshape(2, -1, 4, 4) for maps in (offset, mask)
    ]
    mine, read = (
        modulated_deform_conv2d(image, *maps, weight, None, 1, 1)
        for maps in ((offset, mask), memory)
    )
    assert mine.shape == (2, 3, 4, 4)
    torch.testing.assert_close(mine, read)


@pytest.mark.parametrize('size, sampling, aligned', ROI_CASES)
def test_roi_align_and_gradient(size, sampling, aligned):
    features = feature_map().requires_grad_()
    pooled = roi_align(
        features, expected('rois'), (size, size), 1 / 8, sampling, 'avg', bool(aligned)
    )
    (pooled**2).sum().backward()
    name = f'roi_align_{size}_{sampling}_{aligned}'
    torch.testing.assert_close(pooled[:, ::4, ::2, ::2], expected(name), rtol=0, atol=1e-5)
    gradient = features.grad[:, ::4, ::4, ::4]
    torch.testing.assert_close(gradient, expected(name + '_grad'), rtol=1e-5, atol=1e-5)


def test_roi_align_gradient_against_differences():
    features = feature_map()[:, :1, :6, :6].double().requires_grad_()
    rois = torch.tensor([[0, 4.3, 5.1, 30.2, 40.7], [1, 0, 0, 48, 48]]).double()
    assert torch.autograd.gradcheck(
        lambda x: roi_align(x, rois, (2, 2), 1 / 8, 2, 'avg', True), features
    )


@stand_in_only
def test_roi_align_in_half_precision():
    features, rois = feature_map().bfloat16().requires_grad_(), expected('rois')
    pooled = roi_align(features, rois.bfloat16(), (7, 7), 1 / 8)
    pooled.float().sum().backward()
    full = roi_align(features.detach().float(), rois.bfloat16().float(), (7, 7), 1 / 8)
    assert pooled.dtype == features.grad.dtype == torch.bfloat16
    torch.testing.assert_close(pooled.float(), full, rtol=0.01, atol=0.01)


@stand_in_only
def test_max_pooling_says_what_to_do():
    with pytest.raises(NotImplementedError, match="pool_mode='max'.*install the full mmcv"):
        roi_align(feature_map(), expected('rois'), (7, 7), 1 / 8, 0, 'max')


def test_nms():
    boxes, scores = expected('boxes'), expected('scores')
    dets, keep = nms(boxes, scores, 0.5)
    assert torch.equal(keep, expected('nms_keep'))
    assert torch.equal(dets, torch.cat([boxes, scores[:, None]], 1)[keep])


def test_nms_offset_counts_the_last_pixel():
    # Side by side: with whole-pixel boxes they share one column, without they do not.
    boxes = torch.tensor([[0.0, 0, 1, 1], [1.0, 0, 2, 1]])
    scores = torch.tensor([0.9, 0.8])
    assert len(nms(boxes, scores, 0.3, offset=0)[1]) == 2
    assert len(nms(boxes, scores, 0.3, offset=1)[1]) == 1


@pytest.mark.parametrize('class_agnostic', [False, True])
def test_batched_nms(class_agnostic):
    boxes, scores, labels = expected('boxes'), expected('scores'), expected('idxs')
    _, keep = batched_nms(boxes, scores, labels, {'type': 'nms'} | IOU, class_agnostic)
    name = 'agnostic_nms_keep' if class_agnostic else 'batched_nms_keep'
    assert torch.equal(keep, expected(name))


def test_soft_nms():
    dets, keep = soft_nms(expected('boxes'), expected('scores'), 0.5)
    assert torch.equal(keep, expected('soft_nms_keep'))
    torch.testing.assert_close(dets, expected('soft_nms_dets'), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    'method, score', [('naive', None), ('linear', 0.8 * 0.4), ('gaussian', 0.8 * np.exp(-0.72))]
)
def test_soft_nms_methods(method, score):
    # The second box overlaps the first by 0.6; the third stands apart.
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 6], [50, 50, 60, 60]])
    dets, keep = soft_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5, method=method)
    assert keep.tolist() == ([0, 2] if score is None else [0, 2, 1])
    if score is not None:
        assert dets[2, 4].item() == pytest.approx(score)


def test_nms_match_groups():
    dets = torch.tensor(
        [[0.0, 0, 10, 10, 0.7], [50, 50, 60, 60, 0.8], [0, 0, 10, 9, 0.9], [5, 5, 5, 5, 0.1]]
    )
    groups = [group.tolist() for group in nms_match(dets, 0.5)]
    assert groups == [[2, 0], [1], [3]]


@stand_in_only
def test_other_operators_say_what_to_do():
    from mmcv.ops import box_iou_rotated

    with pytest.raises(NotImplementedError, match="'box_iou_rotated'.*Install the full mmcv"):
        box_iou_rotated(torch.zeros(1, 5), torch.zeros(1, 5))


def run(code, *path):
    """Runs ``code`` in a fresh interpreter and returns what it prints."""
    code = f'import sys; sys.path[:0] = {list(path)}\n{code}'
    # mmdet's sources warn once, when Python 3.12 or newer compiles them.
    command = [sys.executable, '-W', 'ignore::SyntaxWarning', '-c', code]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_compiled_module_keeps_precedence(tmp_path):
    """A ``_ext`` file inside mmcv's folder is found before the stand-in."""
    package = tmp_path / 'mmcv'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / '_ext.py').write_text("origin = 'compiled'")
    code = (
        'import runpy\n'
        f'runpy.run_path({extension.__file__!r})["provide_mmcv_ops"]()\n'
        'import mmcv._ext; print(mmcv._ext.origin)'
    )
    assert run(code, str(tmp_path)).stdout == 'compiled\n'


def test_providing_twice_adds_one_finder():
    before = list(sys.meta_path)
    provide_mmcv_ops()
    assert sys.meta_path == before


def test_import_is_quiet_and_lets_mmdet_import():
    result = run('import ovsam, mmdet.models, mmcv.ops; print(ovsam.__version__)')
    assert result.stdout.strip() == '0.1.0'
    assert result.stderr == ''
