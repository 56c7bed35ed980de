"""An auxiliary loss that tells an image encoder, at every pixel, which object is there.

Glossary: B images, C channels, h x w the image embedding's size, s its upscaling.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmdet.structures.bbox import get_box_tensor
from torch import Tensor, nn

from .share_of_mean import share_of_mean


@MODELS.register_module()
class DenseInstanceLoss(nn.Module):
    """Each pixel of the embedding tells whether it is an object's, and which box that object has.

    A mask decoder passes on one prompt's gradient at a time, and an encoder that starts from
    nothing learns slowly from it; this loss teaches all objects of a scene at once. Nothing
    reads its predictions. The box is regressed relative to the pixel, as in FCOS (Tian et al.).

    Args:
        embed_dims: Channels C of the embedding.
        upscale: How many times finer than the embedding, s, the predictions are.
        foreground_weight: Of the binary cross-entropy.
        box_weight: Of the L1 distance of the box's sides, in image sides.
    """

    def __init__(
        self,
        embed_dims: int,
        upscale: int = 4,
        foreground_weight: float = 1.0,
        box_weight: float = 5.0,
    ) -> None:
        super().__init__()
        self.foreground_weight, self.box_weight = foreground_weight, box_weight
        self.predict = nn.Sequential(
            nn.Conv2d(embed_dims, 5 * upscale**2, kernel_size=1), nn.PixelShuffle(upscale)
        )

    def forward(self, embedding: Tensor, samples: SampleList) -> dict[str, Tensor]:
        """Losses of embeddings (B, C, h, w) against samples with ``gt_instances``.

        Boxes and masks are in input pixels and cover the same area as the embedding.
        """
        foreground, boxes = self.predict(embedding).split([1, 4], dim=1)
        targets = [self._targets(sample, foreground.shape[-2:]) for sample in samples]
        covered = torch.stack([target[0] for target in targets]).to(embedding)
        sides = torch.stack([target[1] for target in targets]).to(embedding)
        inside = (covered > 0.5)[:, None]
        error = ((boxes - sides).abs() * inside).sum() / (4 * inside.sum()).clamp(min=1)
        error = error * share_of_mean(inside.sum(), embedding)
        return dict(
            loss_foreground=self.foreground_weight
            * F.binary_cross_entropy_with_logits(foreground[:, 0], covered),
            loss_dense_box=self.box_weight * error,
        )

    @staticmethod
    def _targets(sample, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Share of each pixel that objects cover (sh, sw), and their boxes (4, sh, sw)."""
        instances = sample.gt_instances
        if not len(instances):
            return torch.zeros(size), torch.zeros(4, *size)
        masks = torch.from_numpy(instances.masks.masks).float()
        owner = F.interpolate(masks[None], size, mode='area')[0].max(dim=0)
        height, width = masks.shape[-2:]
        boxes = get_box_tensor(instances.bboxes).cpu() / torch.tensor(
            [width, height, width, height]
        )
        y, x = torch.meshgrid(*((torch.arange(side) + 0.5) / side for side in size), indexing='ij')
        return owner.values, boxes[owner.indices].permute(2, 0, 1) - torch.stack([x, y, x, y])
