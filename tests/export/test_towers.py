"""Every OVSAM config at paper scale can be exported, and gives the same numbers; in tiny here."""

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from tests.configs.test_paper_scale import ROOT, tiny_config

pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')

from ovsam.benchmarks.random_model import build_random_model
from ovsam.export.graphs import encode
from ovsam.export.onnx_files import export_onnx
from ovsam.masks.regions import Regions
from ovsam.prompts import Prompts

# Of each kind of tower one; the others differ by their widths, names and prompts.
KINDS = [
    'ovsam_RN50_coco_box',
    'ovsam_RN50x16_interactive',
    'ovsam_RN50x16_coco_second_look_box',
    'ovsam_ViT-L-14_coco_box',
    'ovsam_convnext_large_d_320_coco_point',
]
REFUSED = {'ovsam_RN50x16_coco_mirrored_box', 'ovsam_RN50x16_coco_unpadded_box'}
OTHERS = sorted({path.stem for path in (ROOT / 'ovsam').glob('*.py')} - set(KINDS) - REFUSED)


@pytest.mark.parametrize(
    'name', [*KINDS, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_same_numbers(name, tmp_path):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(tiny_config(ROOT / 'ovsam' / f'{name}.py').model).eval()
    compare(model, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_same_numbers_at_paper_scale(tmp_path):
    torch.manual_seed(0)
    compare(build_random_model(Config.fromfile(ROOT / 'ovsam/ovsam_RN50_coco_box.py')), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize('precision, most', [('fp16', 0.02), ('int8', 0.2)])
@pytest.mark.parametrize('name', KINDS)
def test_nearly_the_same_features_in_fewer_bits(name, precision, most, tmp_path):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(tiny_config(ROOT / 'ovsam' / f'{name}.py').model).eval()
    found = []
    for each in ('fp32', precision):
        side = export_onnx(model, tmp_path / each, each)['image']['size']
        image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
        found.append(run(tmp_path / each / 'encoder.onnx', image=image))
    for path in (tmp_path / precision).glob('*.onnx'):
        onnxruntime.InferenceSession(str(path))  # it has kernels for all
    exact, fewer = found
    for key, values in exact.items():
        error = np.abs(fewer[key] - values).mean() / np.abs(values).mean()
        assert 0 < error < most, key


@torch.no_grad()
def compare(model, folder):
    """Export a model, and compare what the graphs give with what it gives."""
    for name in ('crops.onnx', 'zoomed.onnx', 'zoomed.onnx.data'):  # of another export
        (folder / name).touch()
    settings = export_onnx(model, folder)
    assert {path.stem for path in folder.glob('*.onnx*')} == {
        *('encoder', 'decoder', 'regions'),
        *(['crops'] if model.second_look else []),
    }
    side, low = settings['image']['size'], settings['masks']['size']
    image = torch.randn(1, 3, side, side)
    found = run(folder / 'encoder.onnx', image=image)
    features = model.encode_image(image)
    assert_close(found['embedding'], encode(model, image)[0])
    # Three prompts of four tokens, where the traced ones were two of two.
    coords = side * torch.rand(3, 4, 2)
    coords[:, 3] = coords[:, 2] / 2 + 4
    coords[:, 2] = coords[:, 3] / 2
    labels = torch.tensor([[1, 0, 2, 3]] * 3)
    for masks in (None, torch.randn(3, 1, low, low)):
        prompts = Prompts(coords, labels, masks=masks)
        logits, quality = model.segment(features, prompts)
        given = torch.zeros(3, 1, low, low) if masks is None else masks
        decoded = run(
            folder / 'decoder.onnx',
            found,
            coords=coords,
            labels=labels,
            mask_input=given,
            has_mask=torch.full((3,), masks is not None),
        )
        assert_close(decoded['masks'], logits)
        if quality is not None:
            assert_close(decoded['quality'], quality)
    # One mask is empty, and one has no box.
    low_res = torch.kron(torch.randn(3, low // 8, low // 8), torch.ones(8, 8))
    low_res[0] = -1
    boxes, none = prompts.boxes, Prompts.from_points(torch.ones(1, 3, 2))
    prompted = Regions.of_prompts(low_res[:2], prompts[:2], side).rois['prompt']
    own = Regions.of_prompts(low_res[2:], none, side).rois['prompt']
    tight = Regions.of_prompts(low_res, Prompts.from_points(torch.ones(3, 1, 2)), side).mask_rois
    regions = Regions(low_res, tight, torch.cat([prompted, own]))
    look, model.second_look = model.second_look, None
    embeddings = torch.stack(model.region_embeddings(features, regions), dim=1)
    boxes = torch.cat([boxes[:2], torch.zeros(1, 4)])
    named = run(folder / 'regions.onnx', found, masks=low_res, boxes=boxes)
    assert_close(named['embeddings'], embeddings)
    if look is not None:
        again = look.embed_crops(image, regions.rois['prompt'], low_res, model.backbone)
        cut = run(folder / 'crops.onnx', image=image, masks=low_res, boxes=boxes)
        assert_close(cut['embeddings'], again)


def run(path, features=(), **inputs):
    """What a graph gives, by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more wait for each other in graphs this small
    session = onnxruntime.InferenceSession(str(path), options)
    values = {**dict(features), **{name: value.numpy() for name, value in inputs.items()}}
    names = [each.name for each in session.get_outputs()]
    read = {each.name: values[each.name] for each in session.get_inputs()}
    return dict(zip(names, session.run(names, read)))


def assert_close(found, expected):
    largest = max(1.0, float(expected.abs().max()))
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-4 * largest)
