"""Training with a simulated user, and evaluation with one; in miniature with random weights."""

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks

from ovsam.evaluation import clicked_ovsam
from ovsam.parts.mask_decoder import SAMMaskDecoder
from ovsam.parts.repeated_tokens_init import RepeatedMaskTokensInit
from ovsam.segmenters import interactive_ovsam

from .test_ovsam import SIDE, build, sample


def test_training_reaches_the_decoder_and_the_mask_prompts_only(images):
    model = build('interactive', rounds=2).train()
    losses = model.loss(images, [sample(), sample((10, 10, 90, 90), (40, 30, 200, 180))])
    assert set(losses) == {'loss_focal', 'loss_dice', 'loss_iou'}
    sum(losses.values()).backward()
    learned = {
        name.split('.')[0]
        for name, p in model.named_parameters()
        if p.grad is not None and p.grad.abs().sum() > 0
    }
    assert learned == {'mask_decoder', 'prompt_encoder'}
    assert model.prompt_encoder.mask_downscaling[0].weight.grad.abs().sum() > 0
    assert {key.split('.')[0] for key in model.state_dict()} == learned


def test_images_without_instances_train_nothing(images):
    model = build('interactive', rounds=2).train()
    total = sum(model.loss(images, [sample(), sample()]).values())
    assert total == 0
    total.backward()


def test_every_click_is_rated(images):
    model = build('interactive_clicks', num_clicks=3).eval()
    found = model.predict(images, [sample(), sample((10, 10, 90, 90), (40, 30, 200, 180))])
    nothing, two = (each.pred_instances for each in found)
    assert nothing.click_ious.shape == (0, 3)
    assert two.click_ious.shape == (2, 3) and two.instance_index.tolist() == [0, 1]
    assert ((two.click_ious >= 0) & (two.click_ious <= 1)).all()


def test_an_object_with_an_empty_mask_is_not_rated(images):
    model = build('interactive_clicks', num_clicks=2, prompter=dict(type='BoxPrompter')).eval()
    data = sample((10, 10, 90, 90), (40, 30, 200, 180))
    data.gt_instances.masks.masks[0] = 0
    found = model.predict(images[:1], [data])[0].pred_instances
    assert found.instance_index.tolist() == [1] and found.click_ious.shape == (1, 2)


def test_clicks_do_not_depend_on_chunks(images):
    data = [sample((10, 10, 90, 90), (40, 30, 200, 180), (100, 20, 160, 240)), sample()]
    whole, parts = (
        build('interactive_clicks', num_clicks=2, chunk_size=size)
        .eval()
        .predict(images, data)[0]
        .pred_instances.click_ious
        for size in (64, 1)
    )
    torch.testing.assert_close(whole, parts)


def watch_prompts(model, monkeypatch):
    """The prompts of each round, collected as they come."""
    asked, segment = [], model.segment

    def watched(features, prompts):
        asked.append(prompts)
        return segment(features, prompts)

    monkeypatch.setattr(model, 'segment', watched)
    return asked


def test_clicks_are_pixel_centres_of_the_resized_image(images, monkeypatch):
    """The original is half as wide and a quarter as high as the input."""
    model = build('interactive_clicks', num_clicks=2).eval()
    asked = watch_prompts(model, monkeypatch)
    monkeypatch.setattr(
        clicked_ovsam,
        'central_error_clicks',
        lambda found, truth: (torch.tensor([[10.0, 20.0]]), torch.tensor([1])),
    )
    data = sample((5, 5, 40, 30))
    data.gt_instances.masks = BitmapMasks(np.ones((1, 64, 128), np.uint8), 64, 128)
    data.set_metainfo(dict(ori_shape=(64, 128), scale_factor=(2.0, 4.0)))
    found = model.predict(images[:1], [data])[0].pred_instances
    assert found.click_ious.shape == (1, 2)
    # Of original pixel (10, 20) the middle of two columns and of four rows of the input.
    assert [(20 + 21) / 2, (80 + 83) / 2] in asked[1].coords[0].tolist()


@pytest.mark.parametrize('boxes', [(), ((10, 10, 90, 90),)])
def test_a_second_look_brings_the_last_answer_and_no_click(images, monkeypatch, boxes):
    model = build('interactive', rounds=3, unclicked=1.0).train()
    asked = watch_prompts(model, monkeypatch)
    model.loss(images[:1], [sample(*boxes)])
    first, *others = asked
    assert first.masks is None and len(others) == 2
    for prompts in others:
        assert torch.equal(prompts.coords, first.coords)
        assert len(prompts.masks) == len(boxes) and prompts.masks.isfinite().all()


def test_training_clicks_are_pixel_centres_of_the_input(images, monkeypatch):
    model = build('interactive', rounds=2).train()
    asked = watch_prompts(model, monkeypatch)
    monkeypatch.setattr(
        interactive_ovsam,
        'random_error_clicks',
        lambda found, truth: (torch.tensor([[3.0, 5.0]]), torch.tensor([0])),
    )
    model.loss(images[:1], [sample((10, 10, 90, 90))])
    size = SIDE // asked[1].masks.shape[-1]
    assert size > 1
    assert [3 * size + (size - 1) / 2, 5 * size + (size - 1) / 2] in asked[1].coords[0].tolist()


class TestRepeatedMaskTokens:
    SMALL = dict(embed_dims=16, transformer=dict(depth=1, num_heads=2, mlp_dim=8))

    def test_all_masks_start_as_the_first(self, tmp_path):
        one = SAMMaskDecoder(num_mask_tokens=1, **self.SMALL).eval()
        path = tmp_path / 'one.pth'
        torch.save(
            {'state_dict': {f'mask_decoder.{k}': v.half() for k, v in one.state_dict().items()}},
            path,
        )
        three = SAMMaskDecoder(num_mask_tokens=3, **self.SMALL).eval()
        RepeatedMaskTokensInit(str(path), std=0.0)(three)
        inputs = (
            torch.randn(1, 16, 4, 4),
            torch.randn(1, 16, 4, 4),
            torch.randn(2, 2, 16),
            torch.randn(2, 16, 4, 4),
            torch.zeros(2, dtype=torch.long),
        )
        masks, quality = three(*inputs)
        for index in (1, 2):
            torch.testing.assert_close(masks[:, index], masks[:, 0])
            torch.testing.assert_close(quality[:, index], quality[:, 0])
        RepeatedMaskTokensInit(str(path), std=0.5)(three)
        masks, _ = three(*inputs)
        assert (masks[:, 1] - masks[:, 0]).abs().max() > 1e-4

    def test_other_files_and_parts_are_refused(self, tmp_path):
        path = tmp_path / 'other.pth'
        torch.save({'state_dict': {'neck.weight': torch.zeros(1)}}, path)
        decoder = SAMMaskDecoder(num_mask_tokens=3, **self.SMALL)
        with pytest.raises(ValueError, match='no weights of a mask decoder'):
            RepeatedMaskTokensInit(str(path))(decoder)
        with pytest.raises(ValueError, match='IoU token'):
            RepeatedMaskTokensInit(str(path))(torch.nn.Linear(1, 1))
