from dataclasses import replace

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from ovsam.apis import make_prompts
from ovsam.apis.encoded_image import encode_images
from ovsam.apis.init_model import load_config
from ovsam.benchmarks.complexity import count_complexity
from ovsam.benchmarks.random_model import build_random_model
from ovsam.prompts import Prompts
from ovsam.prompts.prompters import BoxPrompter, CenterPointPrompter
from ovsam.segmenters.mirrored_ovsam import mirrored_prompts

SIDE = 256
PROMPTS = {
    'boxes': Prompts.from_boxes([[8.0, 20.0, 60.0, 90.0], [100.0, 4.0, 250.0, 200.0]]),
    'clicks': Prompts.from_points([[[40.0, 50.0], [90.0, 60.0]]], [[1, 0]]),
    'both': make_prompts([[[40, 50]]], boxes=[[8, 20, 60, 90]]),
}


@pytest.fixture(scope='module')
def model():
    return build_random_model(load_config('mini/ovsam_base_mirrored_box.py')).eval()


@pytest.fixture(scope='module')
def picture():
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize('kind', PROMPTS)
def test_an_image_and_its_mirror_image_have_the_same_masks(model, picture, kind):
    prompts = PROMPTS[kind]
    masks, quality = model.segment(model.encode_image(picture), prompts)
    features = model.encode_image(picture.flip(-1))
    others, expected = model.segment(features, mirrored_prompts(prompts, SIDE))
    torch.testing.assert_close(masks, others.flip(-1), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(quality, expected, atol=1e-3, rtol=1e-3)
    alone, _ = super(type(model), model).segment(model.encode_image(picture), prompts)
    assert not torch.allclose(masks, 2 * alone, atol=1e-2)


def test_prompts_are_mirrored_with_the_image():
    masks = torch.tensor([[[[1.0, 2.0]]]])
    prompts = replace(PROMPTS['both'], masks=masks)
    found = mirrored_prompts(prompts, SIDE)
    assert found.boxes.tolist() == [[SIDE - 60, 20, SIDE - 8, 90]]
    assert found.coords[0, 0].tolist() == [SIDE - 1 - 40, 50]
    assert found.masks.tolist() == [[[[2.0, 1.0]]]]
    again = mirrored_prompts(found, SIDE)
    assert torch.equal(again.coords, prompts.coords)


@pytest.mark.parametrize('prompter', [BoxPrompter(), CenterPointPrompter()])
def test_they_are_those_of_mirrored_annotations(prompter):
    masks = BitmapMasks(np.zeros((1, SIDE, SIDE), np.uint8), SIDE, SIDE)
    masks.masks[0, 20:31, 8:15] = 1
    boxes = HorizontalBoxes(torch.tensor([[8.0, 20.0, 15.0, 31.0]]))
    prompts = prompter([annotated(boxes, masks)])
    boxes.flip_((SIDE, SIDE))
    expected = prompter([annotated(boxes, masks.flip())])
    found = mirrored_prompts(prompts, SIDE)
    given = prompts.labels >= 0
    assert torch.equal(found.coords[given], expected.coords[given])


def annotated(boxes, masks):
    labels = torch.zeros(1, dtype=torch.long)
    return DetDataSample(gt_instances=InstanceData(bboxes=boxes, labels=labels, masks=masks))


def test_no_prompts(model, picture):
    masks, quality = model.segment(model.encode_image(picture), Prompts.empty())
    assert len(masks) == len(quality) == 0


def test_two_images_that_were_encoded_together(model, picture):
    pictures = [picture, picture.flip(-2)]
    alone = encode_images(model, [as_image(each) for each in pictures])
    for place, encoded in enumerate(alone):
        (single,) = encode_images(model, [as_image(pictures[place])])
        torch.testing.assert_close(encoded.features.mirrored, single.features.mirrored)
        masks, _ = model.segment(encoded.features, PROMPTS['boxes'])
        assert masks.shape == (2, 1, SIDE // 2, SIDE // 2)


def as_image(picture):
    return (127 + 40 * picture[0].permute(1, 2, 0)).clamp(0, 255).byte().numpy()


@torch.no_grad()
def test_names_are_read_from_the_image_as_it_is(model, picture):
    assert torch.equal(
        model.encode_image(picture).levels[-1],
        super(type(model), model).encode_image(picture).levels[-1],
    )


def test_it_costs_an_image_and_not_a_prompt():
    """Twice the tower and the adapter for each image, twice the decoder for each prompt."""
    plain, mirrored = (
        {row.part: row for row in count_complexity(load_config(f'mini/ovsam_base_{name}.py'))}
        for name in ('box', 'mirrored_box')
    )
    for part, image, prompt in (
        ('backbone', 2, 1),
        ('neck', 2, 1),
        ('label_head', 1, 1),
        ('mask_decoder', 1, 2),
    ):
        assert mirrored[part].image == image * plain[part].image
        assert mirrored[part].prompt == prompt * plain[part].prompt
