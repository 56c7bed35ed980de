import pytest
import torch

from ovsam.benchmarks.random_model import annotated_boxes
from ovsam.losses.dense_instance_loss import DenseInstanceLoss


def sample(*boxes, size=32):
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return annotated_boxes(rows, torch.zeros(len(boxes), dtype=torch.long), size)


def test_a_scene_without_objects_teaches_the_ground():
    loss = DenseInstanceLoss(embed_dims=4, upscale=2)
    losses = loss(torch.randn(1, 4, 8, 8, requires_grad=True), [sample()])
    assert losses['loss_dense_box'] == 0
    assert losses['loss_foreground'] > 0


def test_targets_are_coverage_and_sides_seen_from_the_pixel():
    covered, sides = DenseInstanceLoss._targets(sample((8, 16, 24, 32)), (16, 16))
    assert covered.sum() == 8 * 8
    assert covered[8:, 4:12].min() == 1
    # The pixel of row 8, column 4 has its centre at (4.5, 8.5) of 16.
    expected = torch.tensor([0.25 - 4.5 / 16, 0.5 - 8.5 / 16, 0.75 - 4.5 / 16, 1 - 8.5 / 16])
    torch.testing.assert_close(sides[:, 8, 4], expected)


def test_weights_scale_the_losses():
    loss = DenseInstanceLoss(embed_dims=4, upscale=2, foreground_weight=2.0, box_weight=3.0)
    given = torch.randn(1, 4, 8, 8), [sample((8, 16, 24, 32))]
    found = loss(*given)
    loss.foreground_weight = loss.box_weight = 1.0
    plain = loss(*given)
    torch.testing.assert_close(found['loss_foreground'], 2 * plain['loss_foreground'])
    torch.testing.assert_close(found['loss_dense_box'], 3 * plain['loss_dense_box'])


@pytest.mark.parametrize('key', ['loss_foreground', 'loss_dense_box'])
def test_learning_lowers_it(key):
    torch.manual_seed(0)
    loss = DenseInstanceLoss(embed_dims=8, upscale=2)
    embedding = torch.randn(1, 8, 8, 8, requires_grad=True)
    scene = [sample((2, 2, 12, 14), (18, 16, 30, 30))]
    optimizer = torch.optim.Adam([embedding, *loss.parameters()], lr=0.05)
    first = loss(embedding, scene)[key].item()
    for _ in range(60):
        optimizer.zero_grad()
        sum(loss(embedding, scene).values()).backward()
        optimizer.step()
    assert loss(embedding, scene)[key].item() < 0.5 * first
