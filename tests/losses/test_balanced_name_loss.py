import torch

from ovsam.losses import BalancedNameLoss


def test_no_objects():
    logits = torch.zeros(0, 3, requires_grad=True)
    loss = BalancedNameLoss(3)(logits, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss == 0 and logits.grad is not None


def test_a_rare_name_counts_more():
    loss = BalancedNameLoss(2)
    for _ in range(10):
        loss(torch.zeros(9, 2), torch.tensor([0] * 8 + [1]))
    logits = torch.zeros(2, 2, requires_grad=True)
    loss(logits, torch.tensor([0, 1])).backward()
    common, rare = logits.grad.norm(dim=1)
    assert 2 < rare / common < 4  # the root of 8


def test_smoothing_takes_its_share_of_the_target():
    logits, labels = torch.tensor([[9.0, 0.0]]), torch.tensor([0])
    plain, smooth = (BalancedNameLoss(2, 1.0, share)(logits, labels) for share in (0.0, 0.2))
    torch.testing.assert_close(smooth - plain, torch.tensor(0.1 * 9))


def test_counts_are_kept_and_may_be_lacking():
    loss, other = BalancedNameLoss(2), BalancedNameLoss(2)
    loss(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
    other.load_state_dict(loss.state_dict())
    assert other.counts.tolist() == loss.counts.tolist() == [3, 2]
    other.load_state_dict({})
    assert other.counts.tolist() == [3, 2]
