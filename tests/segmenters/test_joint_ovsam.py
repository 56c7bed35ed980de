"""Training on what samples have: masks, boxes, or a name for the whole image."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS

from ovsam.naming.compared_names import AllNames, JudgedNames
from tests.segmenters.test_ovsam import NAMES, SIDE, build, sample

BOXES = (10, 10, 90, 90), (40, 30, 200, 180)


def named(*boxes):
    """A sample that has boxes alone."""
    one = sample(*boxes)
    del one.gt_instances.masks
    return one


def learned(model):
    return [p for p in model.parameters() if p.requires_grad]


@pytest.fixture(scope='module')
def trained():
    return build('clip2sam_image_level').train()


@pytest.fixture
def joint(trained, monkeypatch):
    monkeypatch.setattr(trained, 'compared', AllNames())
    trained.zero_grad()
    torch.manual_seed(0)
    np.random.seed(0)
    return trained


@pytest.mark.parametrize('empty', [named, sample])
def test_losses_of_images_without_instances_are_zero_and_reach_every_weight(joint, images, empty):
    total = sum(joint.loss(images, [empty(), empty()]).values())
    assert total == 0
    total.backward()
    assert learned(joint) and all(p.grad is not None for p in learned(joint))


def test_images_without_masks_cost_neither_adapter_nor_decoder(joint, images, monkeypatch):
    def fail(*args):
        raise AssertionError('is not needed')

    monkeypatch.setattr(joint.neck, 'forward', fail)
    monkeypatch.setattr(joint.mask_decoder, 'forward', fail)
    losses = joint.loss(images, [named(*BOXES), named((0, 0, SIDE, SIDE))])
    assert list(losses) == ['loss_cls'] and losses['loss_cls'] > 0
    losses['loss_cls'].backward()
    assert all(p.grad is not None for p in learned(joint))
    assert not any(p.grad.any() for p in joint.mask_decoder.parameters())
    assert any(p.grad.any() for p in joint.label_head.parameters())


def test_masks_have_losses_of_their_own(joint, images):
    losses = joint.loss(images, [sample(*BOXES), sample(BOXES[0])])
    assert set(losses) == {'loss_cls', 'loss_mask', 'loss_dice', 'loss_iou'}
    sum(losses.values()).backward()
    assert any(p.grad.any() for p in joint.mask_decoder.parameters())


def test_losses_are_those_of_a_training_on_one_source(images):
    """With nothing but masks and all names, a joint training is the training that there was."""
    found = []
    for kind in ('OVSAM', 'JointOVSAM'):
        model = build('clip2sam_joint' if kind == 'OVSAM' else 'clip2sam_image_level').train()
        model.crop_distillation = None
        torch.manual_seed(1)
        np.random.seed(1)
        found.append(model.loss(images, [sample(*BOXES), sample(BOXES[0])]))
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value)


def test_of_a_mixed_batch_only_masks_are_prompted(joint, images, monkeypatch):
    prompted, prompter = [], joint.train_prompter
    monkeypatch.setattr(
        joint, 'train_prompter', lambda samples: prompted.append(len(samples)) or prompter(samples)
    )
    named_rows = []
    loss = joint.class_loss
    monkeypatch.setattr(
        joint, 'class_loss', lambda *args: named_rows.append(args[2].tolist()) or loss(*args)
    )
    losses = joint.loss(images, [named(*BOXES), sample(BOXES[0])])
    assert prompted == [1] and named_rows == [[0, 0, 1]]
    assert all(torch.isfinite(value) for value in losses.values())


@pytest.mark.parametrize('masked', [0, 1])
def test_masks_of_a_mixed_batch_are_padded(masked):
    made = MODELS.build(dict(type='JointDataPreprocessor', pad_size_divisor=32, pad_mask=True))
    samples = [named(BOXES[0]), named(BOXES[1])]
    samples[masked] = sample(BOXES[0])
    for each in samples:
        each.set_metainfo(dict(img_shape=(SIDE, SIDE)))
    images = [torch.zeros(3, SIDE, SIDE, dtype=torch.uint8) for _ in samples]
    images[1 - masked] = torch.zeros(3, SIDE + 32, SIDE, dtype=torch.uint8)
    found = made(dict(inputs=images, data_samples=samples), True)['data_samples']
    assert found[masked].gt_instances.masks.masks.shape == (1, SIDE + 32, SIDE)


@pytest.mark.parametrize('name', ['clip2sam_joint', 'clip2sam_image_level'])
def test_named_instances_of_which_none_can_be_prompted(name, images, monkeypatch):
    """Points need a mask; boxes that lost theirs are named all the same."""
    model = build(name).train()
    monkeypatch.setattr(model, 'train_prompter', model.train_prompter.prompters[1])
    one = sample(*BOXES)
    one.gt_instances.masks.masks[:] = 0
    losses = model.loss(images[:1], [one])
    assert losses['loss_cls'] > 0 and losses['loss_mask'] == losses['loss_dice'] == 0
    sum(losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in learned(model))


def test_names_that_are_not_judged_do_not_compete(joint, images, monkeypatch):
    embeddings = F.normalize(torch.randn(2, joint.text_encoder.embed_dims), dim=-1)
    labels, places = torch.tensor([0, 2]), torch.zeros(2, dtype=torch.long)
    one = named(*BOXES)
    one.set_metainfo(dict(judged_labels=np.array([0, 2], np.int32)))
    monkeypatch.setattr(joint, 'compared', JudgedNames())
    found = joint.class_loss(embeddings, labels, places, [one])
    logits = joint.classify(embeddings)[:, [0, 2, 3]]
    weight = torch.tensor([1.0, 1.0, joint.label_loss.background_weight])
    torch.testing.assert_close(
        found, joint.label_loss.cls_weight * F.cross_entropy(logits, torch.tensor([0, 1]), weight)
    )


def test_texts_are_embedded_once_and_are_no_part_of_a_checkpoint(joint, images, monkeypatch):
    joint.loss(images, [named(*BOXES), named()])
    bank = joint.own_bank
    assert bank.vocabulary is joint.vocabulary and len(bank) == len(NAMES)
    joint.loss(images, [named(*BOXES), named()])
    assert joint.own_bank is bank
    assert not any('bank' in key for key in joint.state_dict())


def test_labels_of_another_vocabulary(joint, images):
    one = named(*BOXES)
    one.gt_instances.labels[1] = len(NAMES)
    with pytest.raises(ValueError, match='labels go from 0 to 3, but the model has 3 names'):
        joint.loss(images[:1], [one])


def test_a_learned_context_is_refused():
    with pytest.raises(ValueError, match='leave context out'):
        build('clip2sam_image_level', context=dict(type='LearnedContext', num_tokens=2))
