"""From the normalisation of one network's input to that of another's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ChangeNormalization(nn.Module):
    """Takes images as SAM gets them and gives them as CLIP was trained on them.

    Args:
        mean: Of each colour, in the frame [0, 255], that was taken out of the images.
        std: By which they were divided.
        new_mean: That is to be taken out instead.
        new_std: By which they are to be divided.

    Raises:
        ValueError: If these are not three numbers each, or a deviation is not positive.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        new_mean: Sequence[float],
        new_std: Sequence[float],
    ) -> None:
        super().__init__()
        table = [list(map(float, row)) for row in (mean, std, new_mean, new_std)]
        if any(len(row) != 3 for row in table) or min(table[1] + table[3]) <= 0:
            raise ValueError(
                'means and deviations are three numbers each, deviations positive; '
                f'got mean={mean}, std={std}, new_mean={new_mean}, '
                f'new_std={new_std}'
            )
        old, deviation, new, new_deviation = torch.tensor(table)[:, :, None, None]
        self.register_buffer('factor', deviation / new_deviation, persistent=False)
        self.register_buffer('shift', (old - new) / new_deviation, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Changes normalised RGB images (B, 3, H, W)."""
        return images * self.factor + self.shift
