import torch

from ovsam.losses import NearObjectMaskLoss, near_object_mask_loss


def square(low, high, side=32):
    mask = torch.zeros(1, side, side)
    mask[:, low:high, low:high] = 1
    return mask


def logits_of(masks):
    return 20 * masks - 10


def test_no_prompts():
    logits = torch.zeros(0, 4, 8, 8, requires_grad=True)
    losses = NearObjectMaskLoss()(
        logits, torch.zeros(0, 4), torch.zeros(0, 8, 8), torch.zeros(0, dtype=torch.bool)
    )
    assert sum(losses.values()) == 0


def test_a_fault_near_a_small_object_counts_more_than_one_far_away():
    loss = NearObjectMaskLoss(gamma=0)
    target = square(4, 8)
    near, far = target.clone(), target.clone()
    near[:, 4:8, 8] = 1
    far[:, 24:28, 24] = 1
    assert loss.of_each(logits_of(near), target)[0] > 5 * loss.of_each(logits_of(far), target)[0]


def test_small_objects_count_as_large_ones(monkeypatch):
    monkeypatch.setattr(near_object_mask_loss, 'OUTSIDE', 0.0)
    loss = NearObjectMaskLoss(gamma=0)
    missed = [
        loss.of_each(logits_of(torch.zeros(1, 64, 64)), square(8, 8 + side, 64))[0]
        for side in (10, 40)
    ]
    torch.testing.assert_close(missed[0], missed[1], rtol=0.4, atol=0)


def test_only_the_first_mask_learns_from_boxes_and_the_best_guess_from_clicks():
    target = square(4, 12)
    logits = torch.zeros(1, 4, 32, 32)
    logits[:, 2] = logits_of(target[0]) / 10
    for ambiguous, learn in ((False, {0}), (True, {0, 2})):
        given = logits.clone().requires_grad_()
        losses = NearObjectMaskLoss()(
            given, torch.zeros(1, 4, requires_grad=True), target, torch.tensor([ambiguous])
        )
        sum(losses.values()).backward()
        assert {i for i in range(4) if given.grad[0, i].any()} == learn


def test_an_empty_target_is_no_error():
    losses = NearObjectMaskLoss()(
        torch.zeros(1, 2, 8, 8), torch.zeros(1, 2), torch.zeros(1, 8, 8), torch.tensor([True])
    )
    assert all(torch.isfinite(value) for value in losses.values())
