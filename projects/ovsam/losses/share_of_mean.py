"""Means over instances that several processes take together.

Distributed training averages the processes' gradients. Where each process's loss is a mean over
instances of its own, and one has 3 and another 40, those of the first would count 13 times as much
as in one process that has all 43.
"""

from __future__ import annotations

import torch
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from torch import Tensor


def share_of_mean(amount: float | Tensor, like: Tensor) -> float | Tensor:
    """What this process has of something, per mean of what the processes have.

    A process's mean over its instances times this, averaged over the processes, is the mean over
    all instances. The processes exchange a number: each must call this as often as the others, one
    without instances, too.

    Args:
        amount: How much this process's mean is over: instances, or the sum of their weights.
        like: A tensor on the device of the loss.

    Returns:
        1 in a single process, a scalar tensor in several; 0 for a process that has nothing.
    """
    if get_world_size() == 1:
        return 1.0
    mine = torch.as_tensor(amount, dtype=torch.float32, device=like.device).detach()
    mean = reduce_mean(mine)
    return mine / mean.clamp(min=torch.finfo(torch.float32).tiny)
