"""A frozen EfficientNet-Lite trained on ImageNet, in the place of CLIP's image tower.

Glossary: B images, N regions, C channels of the embedding. Regions are (image index, x1, y1, x2,
y2) in input pixels (the resized and padded image).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import timm
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..region_pooling import region_mean

STRIDES = (4, 8, 16, 32, 32)
_STAGES = (1, 2, 4, 6)  # blocks whose outputs are the levels of strides 4, 8, 16 and 32


@MODELS.register_module()
class EfficientNetLiteTower(BaseModule):
    """Four feature levels, and the map of which the classifier averages the cells.

    The space of names is that of the classifier's rows: a region's embedding is the mean of the
    cells that the classifier would have averaged, less what they are on any picture. That mean
    follows from the last batch norm: there, each channel is about normal, with the norm's bias and
    weight as mean and deviation, before it is cut to [0, 6].

    Batch norms are folded into the convolutions before them, which saves a third of the time. A
    file with the weights of timm's model loads, and so does one that has them in the same order
    under other names, as other ports of EfficientNet do.

    Args:
        arch: timm's name of a ``tf_efficientnet_lite``.
        roi_size: Side of the grid that regions are sampled on.
        image_side: Side of whole images, in pixels, if they come larger than the tower sees them,
            so that squares can be cut out of them that show more.
        seen_side: What whole images are averaged down to.
        init_cfg: Where weights come from, as in mmengine.

    Raises:
        ValueError: ``image_side`` is no multiple of ``seen_side``.

    Attributes:
        strides: Of the levels, in pixels of whole images.
        out_channels: Channels of the levels; the last are those of the classifier's input.
        embed_dims: Length C of the embeddings.
        image_size: Side of the square image that the tower was trained on, in pixels.
    """

    def __init__(
        self,
        arch: str = 'tf_efficientnet_lite2',
        roi_size: int = 5,
        image_side: int | None = None,
        seen_side: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self._image_side, self._shrink = image_side, 1
        if image_side is not None and seen_side is not None:
            self._shrink, rest = divmod(image_side, seen_side)
            if rest:
                raise ValueError(
                    f'image_side is {image_side}: expected a multiple of seen_side, {seen_side}'
                )
        self.strides = tuple(stride * self._shrink for stride in STRIDES)
        self._arch = arch
        self.visual = timm.create_model(arch)
        self.register_buffer('mean', torch.zeros(self.visual.num_features))
        levels = [level['num_chs'] for level in self.visual.feature_info[1:]]  # but stride 2
        self.out_channels = (*levels, self.visual.num_features)
        _fold_norms(self.visual)
        self.visual.to(memory_format=torch.channels_last)
        self.embed_dims = self.visual.num_features
        self.image_size = self.visual.default_cfg['input_size'][-1]
        self.roi_size = roi_size

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Levels (B, C_level, H / stride, W / stride) of normalised images (B, 3, H, W).

        Images are whole or, with another side, squares of them, whose strides are those of a tower
        without ``image_side``.
        """
        visual = self.visual
        if images.shape[-1] == self._image_side:
            images = F.avg_pool2d(images, self._shrink)
        x = images.to(visual.conv_stem.weight).contiguous(memory_format=torch.channels_last)
        x = visual.bn1(visual.conv_stem(x))  # of each norm, the activation is left
        levels = []
        for index, block in enumerate(visual.blocks):
            x = block(x)
            if index in _STAGES:
                levels.append(x)
        return (*levels, visual.bn2(visual.conv_head(x)))

    def embed_regions(
        self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor | None = None
    ) -> Tensor:
        """Embeddings (N, C), L2-normalised, of regions in what :meth:`forward` gives.

        RoIs are (N, 5), image index and box in input pixels. Masks are (N, h, w) logits that cover
        the input; without, all of a box counts the same.
        """
        own = region_mean(
            levels[-1].float(), rois.float(), self.roi_size, 1 / self.strides[-1], masks
        )
        return F.normalize(self.centred(own), dim=-1)

    def embed_masks(self, levels: Sequence[Tensor], rois: Tensor, masks: Tensor) -> Tensor:
        """As :meth:`embed_regions`."""
        return self.embed_regions(levels, rois, masks)

    def embed_images(self, images: Tensor) -> Tensor:
        """Embeddings (B, C), L2-normalised, of whole images (B, 3, H, W)."""
        return F.normalize(self.centred(self(images)[-1].mean(dim=(2, 3))), dim=-1)

    def centred(self, features: Tensor) -> Tensor:
        """Features (N, C) of the classifier's input, less their mean on any picture."""
        return features - self.mean.to(features)

    def class_rows(self) -> Tensor:
        """The classifier's rows (1000, C)."""
        return self.visual.classifier.weight.detach()

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args, **kwargs) -> None:
        found = [key for key in state_dict if key.startswith(prefix)]
        # A file of other parts, and one with what is loaded here already, cost no model.
        original = None
        if found and f'{prefix}mean' not in state_dict:
            original = timm.create_model(self._arch)
        if original and len(found) == len(expected := original.state_dict()):
            original.load_state_dict(dict(zip(expected, map(state_dict.pop, found))))
            norm = original.bn2
            mean = clipped_normal_mean(norm.bias.detach(), norm.weight.detach().abs(), 6.0)
            _fold_norms(original)
            state_dict[f'{prefix}mean'] = mean
            state_dict.update(
                {f'{prefix}visual.{key}': value for key, value in original.state_dict().items()}
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


# Each convolution and its norm, by their names in timm's blocks of depthwise-separable and of
# inverted residual convolutions, and in the model itself.
_CONVOLUTIONS = {
    'DepthwiseSeparableConv': (('conv_dw', 'bn1'), ('conv_pw', 'bn2')),
    'InvertedResidual': (('conv_pw', 'bn1'), ('conv_dw', 'bn2'), ('conv_pwl', 'bn3')),
    'EfficientNet': (('conv_stem', 'bn1'), ('conv_head', 'bn2')),
}


@torch.no_grad()
def _fold_norms(model: nn.Module) -> None:
    """Make each convolution do what its batch norm did; the norm's place keeps the activation."""
    for module in list(model.modules()):
        for conv_name, norm_name in _CONVOLUTIONS.get(type(module).__name__, ()):
            conv, norm = getattr(module, conv_name), getattr(module, norm_name)
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            conv.weight *= factor[:, None, None, None]
            conv.bias = nn.Parameter(norm.bias - norm.running_mean * factor)
            setattr(module, norm_name, norm.act)


def clipped_normal_mean(mean: Tensor, deviation: Tensor, top: float) -> Tensor:
    """Expected value of a normal variable that is cut to [0, top]."""

    def above(limit: float) -> Tensor:
        """Expected value of what the variable has above a limit."""
        z = (mean - limit) / deviation.clamp(min=1e-8)
        density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        share = 0.5 * (1 + torch.erf(z / math.sqrt(2)))
        return (mean - limit) * share + deviation * density

    return above(0.0) - above(top)
