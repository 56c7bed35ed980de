"""Distillation, and masks beside it; in miniature with random weights."""

import torch

from .test_ovsam import build, sample


def gradient(model, losses):
    """Of the adapter, which alone learns."""
    model.zero_grad()
    sum(losses).backward()
    learned = {name.split('.')[0] for name, p in model.named_parameters() if p.grad is not None}
    assert learned == {'neck'}
    return torch.cat([p.grad.flatten() for p in model.neck.parameters()])


def test_masks_are_learned_beside_the_distillation(images):
    samples = [sample(), sample((10, 10, 90, 90), (40, 30, 200, 180))]
    model = build('sam2clip_masks').train()
    losses = model.loss(images, samples)
    assert set(losses) == {'loss_distill', 'loss_focal', 'loss_dice', 'loss_iou'}
    both = gradient(model, losses.values())
    plain = build('sam2clip').train()
    alone = plain.loss(images, samples)
    assert set(alone) == {'loss_distill'}
    torch.testing.assert_close(alone['loss_distill'], losses['loss_distill'])
    assert not torch.allclose(both, gradient(plain, alone.values()), rtol=1e-2)


def test_images_without_instances_are_distilled_only(images):
    losses = build('sam2clip_masks').train().loss(images, [sample(), sample()])
    assert losses.pop('loss_distill') > 0 and sum(losses.values()) == 0
