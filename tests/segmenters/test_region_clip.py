"""Training CLIP on regions."""

import pytest
import torch

from tests.segmenters.test_ovsam import SIDE, build, sample


@pytest.mark.parametrize('boxes', [(), [(10, 10, 90, 90)]])
def test_images_with_and_without_objects(boxes):
    model = build('clip_regions').train()
    losses = model.loss(torch.randn(1, 3, SIDE, SIDE), [sample(*boxes)])
    assert all((value > 0) == bool(boxes) for value in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
