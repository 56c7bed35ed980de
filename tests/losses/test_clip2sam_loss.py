import pytest
import torch

from ovsam.losses.clip2sam_loss import CLIP2SAMLoss


class BothLosses(CLIP2SAMLoss):
    def forward(self, mask_logits, class_logits, mask_targets, labels):
        names = self.of_names(class_logits, labels)
        return dict(loss_cls=names, **self.of_masks(mask_logits, mask_targets))


@pytest.fixture
def loss():
    return BothLosses(num_points=64)


@pytest.fixture(autouse=True)
def fixed_points():
    torch.manual_seed(0)


def square(size, batch=2):
    masks = torch.zeros(batch, size, size)
    masks[:, size // 4 : -size // 4, size // 4 : -size // 4] = 1
    return masks


def test_no_instances(loss):
    mask_logits = torch.zeros(0, 8, 8, requires_grad=True)
    class_logits = torch.zeros(0, 4, requires_grad=True)
    losses = loss(
        mask_logits, class_logits, torch.zeros(0, 32, 32), torch.zeros(0, dtype=torch.long)
    )
    assert {name: value.item() for name, value in losses.items()} == {
        'loss_cls': 0.0,
        'loss_mask': 0.0,
        'loss_dice': 0.0,
    }
    sum(losses.values()).backward()
    assert mask_logits.grad is not None
    assert class_logits.grad is not None


def test_right_answers_cost_little_and_wrong_ones_much():
    loss = BothLosses(num_points=64, importance_sample_ratio=0.0)  # few points on the border
    labels = torch.tensor([0, 2])
    right = 20 * torch.nn.functional.one_hot(labels, 4).float()
    logits = 40 * (square(64) - 0.5)
    good = loss(logits, right, square(64), labels)
    bad = loss(-logits, -right, square(64), labels)
    assert good['loss_cls'] < 1e-3
    for name in good:
        assert good[name] < 0.1 * bad[name]


def test_targets_may_be_finer_than_logits(loss):
    torch.manual_seed(0)
    coarse = loss(square(8), torch.zeros(2, 4), square(8), torch.tensor([0, 1]))
    torch.manual_seed(0)
    fine = loss(square(8), torch.zeros(2, 4), square(32), torch.tensor([0, 1]))
    assert fine['loss_mask'] == pytest.approx(coarse['loss_mask'].item(), rel=0.1)


def test_background_counts_less(loss):
    class_logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 5.0]])  # both wrong
    labels = torch.tensor([2, 0])
    each = torch.nn.functional.cross_entropy(class_logits, labels, reduction='none')
    expected = 2 * (0.1 * each[0] + each[1]) / 1.1
    torch.testing.assert_close(loss.of_names(class_logits, labels), expected)


def test_weights_scale_the_losses():
    args = (square(8), torch.zeros(2, 4), square(8), torch.tensor([0, 1]))
    results = []
    for weight in (1.0, 3.0):
        torch.manual_seed(0)
        loss = BothLosses(16, cls_weight=weight, mask_weight=weight, dice_weight=weight)
        results.append(loss(*args))
    for name in results[0]:
        torch.testing.assert_close(3 * results[0][name], results[1][name])


def test_instances_that_are_named_but_not_prompted(loss):
    """And the other way round: the one does not spoil the other with nan."""
    no_masks, masks = torch.zeros(0, 8, 8, requires_grad=True), square(8)
    labels = torch.tensor([0, 1])
    losses = loss(no_masks, torch.zeros(2, 4), torch.zeros(0, 32, 32), labels)
    assert losses['loss_cls'] > 0 and losses['loss_mask'] == losses['loss_dice'] == 0
    losses['loss_mask'].backward()
    assert no_masks.grad is not None
    losses = loss(masks, torch.zeros(0, 4), masks, labels[:0])
    assert losses['loss_cls'] == 0 and losses['loss_mask'] > 0 and losses['loss_dice'] > 0


def test_names_may_be_taken_away_from_instances(loss):
    logits = torch.tensor([[1.0, 2.0, 3.0, 0.0]])
    found = loss.of_names(torch.tensor([[1.0, -torch.inf, 3.0, 0.0]]), torch.tensor([0]))
    assert found == loss.of_names(logits[:, [0, 2, 3]], torch.tensor([0]))
