import pytest
import torch
from torch import nn

from ovsam.benchmarks.step_cost import count_step

ROWS, WIDTH = 5, 8


class Chain(nn.Module):
    """Two linear layers without bias, with a sigmoid after each."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, WIDTH, bias=False), nn.Sigmoid()) for _ in range(2)
        )

    def forward(self):
        x = torch.zeros(ROWS, WIDTH, device=self.blocks[0][0].weight.device)
        for block in self.blocks:
            x = block(x)
        return x.sum()


def test_nothing_that_learns_is_nothing():
    class Idle(nn.Module):
        weight = nn.Parameter(torch.zeros(3))

        def forward(self):
            return self.weight.sum()

    assert count_step(model := Idle(), model) == (0, 0, 0, 0)


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_a_step_by_hand(device):
    model = Chain().to(device)
    cost = count_step(model, model)
    product, tensor = ROWS * WIDTH * WIDTH, ROWS * WIDTH * 4
    # Forward twice; backward twice to the weights and once to an input: the first has none.
    assert cost.operations == 5 * product
    # The input and two sigmoids' outputs; the weights are parameters.
    assert cost.saved == cost.checkpointed == 3 * tensor
    assert cost.recomputed == 0
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_checkpointing_by_hand(device):
    model = Chain().to(device)
    cost = count_step(model, model, model.blocks)
    product, tensor = ROWS * WIDTH * WIDTH, ROWS * WIDTH * 4
    assert cost.recomputed == 2 * product
    # The first block saves its input and output, the second one its output only, as its input is
    # the first one's output. Without these three: both inputs, and the larger block's two.
    assert cost.saved == 3 * tensor
    assert cost.checkpointed == (3 - 3 + 2 + 2) * tensor
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in model.blocks)


def test_a_storage_counts_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(WIDTH))

        def forward(self):
            x = self.weight * torch.full((WIDTH,), 2.0)  # saves the constant, not the parameter
            return (x * x + x.view(2, -1).exp().flatten()).sum()

    model = Twice()
    # The constant, x (also as a view) and its exponential.
    assert count_step(model, model).saved == 3 * WIDTH * 4
