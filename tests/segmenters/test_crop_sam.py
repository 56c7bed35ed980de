"""What the yardsticks show CLIP, and what they learn."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from ovsam.benchmarks.random_model import annotated_boxes
from ovsam.checkpoints.loading import learned_names
from ovsam.masks.crop_regions import crop_regions
from ovsam.segmenters.change_normalization import ChangeNormalization
from tests.tiny_models import TINY_CLIP

SIDE, DIMS = 64, 16
KINDS = ('ImageCropSAM', 'FeatureCropSAM', 'MaskFeatureCropSAM')


def test_no_regions():
    assert crop_regions(torch.zeros(1, 3, 16, 16), torch.zeros(0, 5), 8).shape == (0, 3, 8, 8)


def test_a_crop_is_square_around_the_box():
    images = torch.zeros(2, 3, 64, 64)
    images[1, :, 16:32, 8:40] = 1.0  # twice as wide as high
    (crop,) = crop_regions(images, torch.tensor([[1.0, 8.0, 16.0, 40.0, 32.0]]), 32, context=1.0)
    assert crop[:, 10:22, 2:30].min() == 1
    assert crop[:, :7].max() == 0
    assert crop[:, 25:].max() == 0


def test_what_lies_outside_the_image_is_the_mean_colour():
    (crop,) = crop_regions(
        torch.ones(1, 3, 32, 32), torch.tensor([[0.0, -16.0, 0.0, 16.0, 32.0]]), 32, context=1.0
    )
    assert crop[:, :, 20:].min() == 1
    assert crop[:, :, :12].max() == 0


VIT = dict(TINY_CLIP, vision_cfg=dict(image_size=32, layers=1, width=64, patch_size=16))
BOXES = ((4, 4, 30, 40), (20, 10, 60, 60))


def build(kind, clip=TINY_CLIP, **kwargs):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(
            dict(
                type=kind,
                backbone=dict(type='CLIPBackbone', arch=clip),
                image_encoder=dict(
                    type='SAMImageEncoder',
                    img_size=SIDE,
                    window_size=2,
                    out_channels=DIMS,
                    arch=dict(
                        embed_dims=8,
                        num_layers=1,
                        num_heads=2,
                        feedforward_channels=8,
                        global_attn_indexes=[0],
                    ),
                ),
                prompt_encoder=dict(type='SAMPromptEncoder', image_size=SIDE, embed_dims=DIMS),
                mask_decoder=dict(
                    type='SAMMaskDecoder',
                    embed_dims=DIMS,
                    transformer=dict(depth=1, num_heads=2, mlp_dim=8),
                ),
                text_encoder=dict(type='CLIPTextEncoder', arch=clip),
                templates='none',
                vocabulary=['cat', 'dog', 'boat'],
                prompter=dict(type='BoxPrompter'),
                **kwargs,
            )
        )


def build_coop(kind, **kwargs):
    context = dict(type='LearnedContext', num_tokens=2, suffix='', **kwargs)
    return build(kind, context=context).train()


def samples(*boxes):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    halves = boxes.clone()
    halves[:, 2] = boxes[:, [0, 2]].mean(dim=1)
    sample = annotated_boxes(halves, torch.arange(len(boxes)), SIDE)
    sample.gt_instances.bboxes = boxes
    return sample


@pytest.fixture
def images():
    return torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize('kind', KINDS)
def test_without_instances_the_context_gets_a_gradient_of_zero(kind, images):
    model = build_coop(kind)
    loss = model.loss(images, [samples(), samples()])['loss_context']
    loss.backward()
    assert loss == 0
    assert model.context.vectors.grad.abs().sum() == 0


@pytest.mark.parametrize('kind', KINDS)
def test_only_the_context_learns_and_is_kept(kind, images):
    model = build_coop(kind)
    batch = [samples(*BOXES), samples(BOXES[0])]
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.1)
    losses = []
    for _ in range(8):
        loss = model.loss(images, batch)['loss_context']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ['context.vectors']
    assert list(model.state_dict()) == ['context.vectors']
    assert learned_names(model) == {'context.vectors'}


def test_a_context_that_has_learned_names_otherwise(images):
    model = build_coop('FeatureCropSAM')

    def scores():
        # Its softmax saturates, so scores would not show small changes.
        with torch.no_grad():
            return model.classify(torch.eye(DIMS))

    before = model.eval() and scores()
    model.train()
    model.context.vectors.data += 1
    assert not torch.allclose(model.eval() and scores(), before)
    found = model.predict(images, [samples(*BOXES), samples()])
    assert [len(each.pred_instances) for each in found] == [2, 0]


def test_a_context_learns_in_whatever_names_regions():
    model = build_coop('FeatureCropSAM')
    model.classify(torch.eye(DIMS)).square().sum().backward()
    assert model.context.vectors.grad.abs().sum() > 0
    model.context.requires_grad_(False)
    assert not model.classify(torch.eye(DIMS)).requires_grad


def test_words_are_where_training_starts():
    model = build_coop('ImageCropSAM', words='a b')
    model.init_weights()
    assert torch.equal(model.context.vectors, model.text_encoder.token_vectors('a b'))


def test_points_do_not_say_what_to_learn_from(images):
    model = build(
        'ImageCropSAM',
        context=dict(type='LearnedContext', num_tokens=2),
        train_prompter=dict(type='CenterPointPrompter'),
    ).train()
    with pytest.raises(ValueError, match='learns from boxes'):
        model.loss(images, [samples(*BOXES), samples()])


@pytest.mark.parametrize('kind', KINDS)
def test_without_a_context_there_is_nothing_to_train(kind, images):
    with pytest.raises(NotImplementedError, match="context=dict\\(type='LearnedContext'\\)"):
        build(kind).loss(images, [samples(), samples()])


def test_a_vision_transformer_can_name_crops(images):
    model = build('ImageCropSAM', VIT).eval()
    found = model.predict(images, [samples(*BOXES), samples(BOXES[0])])
    assert [len(each.pred_instances) for each in found] == [2, 1]


def test_feature_crop_pools_boxes_and_the_other_one_masks(images):
    rois = torch.tensor([[0.0, *BOXES[0]], [1.0, *BOXES[1]]])
    masks = torch.full((2, 16, 16), -1.0)
    masks[:, 4:8, 4:6] = 1.0
    by_box, by_mask = build('FeatureCropSAM').eval(), build('MaskFeatureCropSAM').eval()
    with torch.no_grad():
        levels = by_box.look(images)
        assert torch.equal(by_box.embed(levels, rois, masks), by_box.embed(levels, rois, -masks))
        assert not torch.allclose(
            by_mask.embed(levels, rois, masks), by_mask.embed(levels, rois, -masks)
        )


@pytest.mark.parametrize('kind', KINDS)
def test_clip_gets_images_as_it_was_trained_on_them(kind, images):
    """Whatever SAM's normalisation was, CLIP's answer is that of its own."""
    # A crop that reaches beyond the image has SAM's mean colour there, not CLIP's.
    rois, masks = torch.tensor([[1.0, 20.0, 20.0, 44.0, 44.0]]), torch.ones(1, 16, 16)
    sam, clip = (
        ([120.0, 110.0, 100.0], [60.0, 50.0, 40.0]),
        ([10.0, 20.0, 30.0], [90.0, 80.0, 70.0]),
    )
    plain = build(kind).eval()
    changing = build(
        kind,
        clip_input=dict(
            type='ChangeNormalization', mean=sam[0], std=sam[1], new_mean=clip[0], new_std=clip[1]
        ),
    ).eval()
    pixels = images * 50 + 100

    def normalised(mean, std):
        return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]

    with torch.no_grad():
        expected = plain.embed(plain.look(normalised(*clip)), rois, masks)
        torch.testing.assert_close(
            changing.embed(changing.look(normalised(*sam)), rois, masks), expected
        )
        assert not torch.allclose(plain.embed(plain.look(normalised(*sam)), rois, masks), expected)


@pytest.mark.parametrize('wrong', [dict(std=[1.0, 0.0, 1.0]), dict(new_mean=[1.0, 1.0])])
def test_normalisations_that_are_none_are_refused(wrong):
    numbers = dict(mean=[0.0] * 3, std=[1.0] * 3, new_mean=[0.0] * 3, new_std=[1.0] * 3)
    with pytest.raises(ValueError, match='three numbers each, deviations positive'):
        ChangeNormalization(**{**numbers, **wrong})
