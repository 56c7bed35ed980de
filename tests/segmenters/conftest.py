"""Pictures for the models of the small world."""

import pytest
import torch


@pytest.fixture
def images():
    return torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
