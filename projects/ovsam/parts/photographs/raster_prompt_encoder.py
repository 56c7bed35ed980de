"""A prompt encoder that also draws prompts: as maps at the strides that masks are decoded at.

Glossary: N prompts, T tokens per prompt, C channels, R channels drawn, h x w the image embedding's
size. Coordinates are input pixels, x before y.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...prompts import Prompts
from ...prompts.tokens import NEGATIVE_POINT, POSITIVE_POINT
from ..prompt_encoder import MASK_SCALE, SAMPromptEncoder

# Of a point's Gaussians, in cells of the image embedding.
DEVIATIONS = (0.5, 2.5)
# Inside the box, x and y in it, whether there is one; Gaussians at positive and negative points;
# the mask prompt's probability, and whether there is one.
NUM_DRAWN = 4 + 2 * len(DEVIATIONS) + 2


@MODELS.register_module()
class RasterPromptEncoder(SAMPromptEncoder):
    """SAM's tokens, and maps on which the prompt is drawn.

    From tokens alone a decoder must learn what "inside the box" is, which takes many pictures; on
    a map it can see it. A mask prompt is one of the channels.

    Args:
        channels: Channels of the maps of strides 16, 8 and 4; the first are the tokens' C.
        frame: What positions are encoded relative to, in pixels; the image's side if not given.
            With that of the whole pictures, smaller crops of them train the same weights.
        **kwargs: Of :class:`SAMPromptEncoder`, but ``embed_dims``.
    """

    def __init__(
        self, channels: Sequence[int] = (128, 64, 32), frame: int | None = None, **kwargs
    ) -> None:
        super().__init__(embed_dims=channels[0], **kwargs)
        self.frame = frame or self.image_size
        # Mask prompts are drawn as the others are.
        del self.mask_downscaling, self.no_mask_embed
        self.projections = nn.ModuleList(
            nn.Conv2d(NUM_DRAWN, width, kernel_size=1) for width in channels
        )

    def forward(self, prompts: Prompts) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Tokens (N, T, C), and maps (N, C_i, h, w), (N, C_i, 2h, 2w) and (N, C_i, 4h, 4w).

        Prompts and errors as of the base class.
        """
        drawn = self.draw(prompts)
        maps = tuple(
            project(drawn if factor == 1 else F.avg_pool2d(drawn, factor))
            for project, factor in zip(self.projections, (4, 2, 1))
        )
        return self._embed_points(prompts), maps

    def draw(self, prompts: Prompts) -> Tensor:
        """The prompts as maps (N, R, 4h, 4w)."""
        side = MASK_SCALE * self.embedding_size
        coords = prompts.coords
        centres = torch.arange(side, device=coords.device, dtype=coords.dtype) + 0.5
        centres = centres * (self.image_size / side)
        maps = [
            *self._draw_box(prompts, centres),
            *self._draw_points(prompts, POSITIVE_POINT, centres),
            *self._draw_points(prompts, NEGATIVE_POINT, centres),
        ]
        if prompts.masks is None:
            maps += [torch.zeros_like(maps[0])] * 2
        else:
            masks = self._fitted_masks(prompts.masks)
            maps += [masks[:, 0].sigmoid(), torch.ones_like(maps[0])]
        return torch.stack(maps, dim=1)

    @staticmethod
    def _draw_box(prompts: Prompts, centres: Tensor) -> list[Tensor]:
        """Inside, x, y and whether there is a box: (N, 4h, 4w) each; zero without a box."""
        low, high = prompts.boxes_or_zeros.split(2, dim=1)
        middle = (low + high) / 2
        half = ((high - low) / 2).clamp(min=1.0)
        # -1 and 1 at the box's sides.
        x, y = (
            ((centres - middle[:, axis, None]) / half[:, axis, None]).clamp(-2, 2)
            for axis in (0, 1)
        )
        exists = prompts.has_box.to(centres)[:, None, None].expand(-1, len(centres), len(centres))
        inside = ((y.abs() <= 1)[:, :, None] & (x.abs() <= 1)[:, None, :]).to(centres)
        return [inside * exists, x[:, None, :] * exists, y[:, :, None] * exists, exists]

    def _draw_points(self, prompts: Prompts, kind: int, centres: Tensor) -> list[Tensor]:
        """For each deviation, the highest of the Gaussians at points of a kind: (N, 4h, 4w)."""
        is_kind = (prompts.labels == kind).to(centres)[:, :, None, None]
        cell = self.image_size / self.embedding_size
        maps = []
        for deviation in DEVIATIONS:
            x, y = (
                torch.exp(-((away / (deviation * cell)) ** 2) / 2)
                for away in (centres - prompts.coords[:, :, axis, None] for axis in (0, 1))
            )
            maps.append((y[..., :, None] * x[..., None, :] * is_kind).amax(dim=1))
        return maps
