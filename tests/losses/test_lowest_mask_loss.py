import pytest
import torch

from ovsam.losses import SAMMaskLoss
from ovsam.losses.lowest_mask_loss import LowestMaskLoss

TARGET = torch.zeros(1, 8, 8)
TARGET[:, 2:6, 2:6] = 1


def logits(*goodness):
    """One prompt's masks: 1 is right, -1 is the opposite."""
    return torch.stack([(8 * TARGET[0] - 4) * g for g in goodness])[None].requires_grad_()


def test_of_no_prompts_they_are_zeros_with_gradients():
    masks = torch.zeros(0, 4, 8, 8, requires_grad=True)
    quality = torch.zeros(0, 4, requires_grad=True)
    losses = LowestMaskLoss()(masks, quality, torch.zeros(0, 8, 8), torch.zeros(0, dtype=bool))
    total = sum(losses.values())
    assert total == 0
    total.backward()
    assert masks.grad is not None and quality.grad is not None


@pytest.mark.parametrize('ambiguous, learns', [(True, 2), (False, 0)])
def test_one_mask_learns(ambiguous, learns):
    masks = logits(0.2, -0.5, 0.5, -1.0)
    losses = LowestMaskLoss()(masks, torch.zeros(1, 4), TARGET, torch.tensor([ambiguous]))
    (losses['loss_focal'] + losses['loss_dice']).backward()
    assert [bool(masks.grad[0, i].abs().sum() > 0) for i in range(4)] == [
        i == learns for i in range(4)
    ]


def test_the_chosen_masks_loss_is_sams():
    masks = logits(0.2, -0.5, 0.5, -1.0)
    losses = LowestMaskLoss()(masks, torch.zeros(1, 4), TARGET, torch.tensor([False]))
    alone = SAMMaskLoss()(masks[:, 0], None, TARGET)
    for name, value in alone.items():
        torch.testing.assert_close(losses[name], value)


def test_every_quality_learns():
    masks, quality = logits(1.0, -1.0, 1.0, -1.0), torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    right = LowestMaskLoss()(masks, quality, TARGET, torch.tensor([True]))
    wrong = LowestMaskLoss()(masks, 1 - quality, TARGET, torch.tensor([True]))
    assert right['loss_iou'] == 0 and wrong['loss_iou'] == 1
