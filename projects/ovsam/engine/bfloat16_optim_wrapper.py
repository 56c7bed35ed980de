"""Mixed precision on machines with and without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Matrix products and convolutions in bfloat16; weights, gradients and losses in float32.

    bfloat16 has float32's range, so nothing is scaled and no step is skipped. mmengine's
    ``AmpOptimWrapper`` refuses to work without a GPU, for the sake of float16; this one does not.
    Arguments are those of ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The forward pass of a training step, see mmengine."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
