"""A config's model on random weights: what it costs does not depend on what it has learned."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import Tensor

from ..apis.init_model import for_use, load_config
from ..naming.name_bank import NameBank
from ..segmenters.open_vocabulary_segmenter import Naming, OpenVocabularySegmenter
from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..vocabulary import Vocabulary

# How parts call the side of their square input; what images are padded to follows it.
_SIZE_KEYS = ('img_size', 'image_size', 'pad_size_divisor')


def build_random_model(
    cfg: Config, size: int | None = None, device: str | torch.device = 'cpu'
) -> PromptableSegmenter:
    """Build a promptable model without reading any weights, in eval mode and without gradients.

    Its vocabulary has the config's number of names, each with a random embedding, so that the
    text encoder never runs.

    Args:
        cfg: Config of the whole model.
        size: Side of its square input, in pixels; the config's own if not given.
        device: Where to; on 'meta' it takes no memory.

    Raises:
        ValueError: The config has no model, or the model takes no prompts.
    """
    if 'model' not in cfg:
        raise ValueError(f"{cfg.filename} has no 'model': give the config of a whole model")
    model_cfg = without_weights(cfg.model.to_dict())
    if size is not None:
        model_cfg = {key: _resized(part, size) for key, part in model_cfg.items()}
    scope = cfg.get('default_scope', 'mmdet')
    with DefaultScope.overwrite_default_scope(scope), torch.device(device):
        model = MODELS.build(model_cfg)
    if not isinstance(model, PromptableSegmenter):
        raise ValueError(
            f'a {type(model).__name__} takes no prompts: use the config of an OVSAM, '
            'a SAM or a crop baseline, for example configs/mini/ovsam_box.py'
        )
    set_random_names(model, device)
    return for_use(model).requires_grad_(requires_grad=False)


def naming_config(config: str) -> Config:
    """See :func:`~ovsam.apis.init_model.load_config`; the model is not built.

    Raises:
        ValueError: It does not name what it segments; and as of that function.
    """
    cfg = load_config(config)
    name = cfg.model.type if 'model' in cfg else None
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet')):
        kind = name and MODELS.get(name)
    if kind and not issubclass(kind, OpenVocabularySegmenter):
        raise ValueError(f'a {name} gives no names: use the config of an OVSAM or a crop baseline')
    return cfg


def without_weights(cfg: Any) -> Any:
    """A copy of a config with every ``init_cfg`` taken out."""
    if isinstance(cfg, dict):
        return {k: without_weights(v) for k, v in cfg.items() if k != 'init_cfg'}
    if isinstance(cfg, (list, tuple)):
        return type(cfg)(without_weights(v) for v in cfg)
    return copy.copy(cfg)


def set_random_names(model: PromptableSegmenter, device: str | torch.device = 'cpu') -> None:
    """Give a model that names a random embedding for each name of its vocabulary."""
    if isinstance(model, Naming):
        # What has no content cannot be compared.
        device = 'cpu' if torch.device(device).type == 'meta' else device
        model.own_bank = random_bank(model.vocabulary, model.text_encoder.embed_dims, device)


def random_bank(
    names: Vocabulary | int,
    channels: int,
    device: str | torch.device = 'cpu',
    counts: Tensor | None = None,
) -> NameBank:
    """Random rows (T, channels); each of the K names has one if ``counts`` (K,) are not given.

    Of names whose number is given every other one is seen.
    """
    if isinstance(names, int):
        numbered = [f'name {number}' for number in range(names)]
        names = Vocabulary(numbered, seen=numbered[::2])
    if counts is None:
        counts = torch.ones(len(names), dtype=torch.long)
    table = F.normalize(torch.randn(int(counts.sum()), channels, device=device), dim=-1)
    return NameBank(names, table, counts.to(device))


def annotated_boxes(boxes: Tensor, labels: Tensor, side: int) -> DetDataSample:
    """A sample of a square image whose objects, with labels (N,), fill their boxes (N, 4), xyxy."""
    masks: np.ndarray = np.zeros((len(boxes), side, side), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.round().long().tolist()):
        mask[y1:y2, x1:x2] = 1
    return DetDataSample(
        metainfo=dict(img_shape=(side, side), ori_shape=(side, side), scale_factor=(1.0, 1.0)),
        gt_instances=InstanceData(
            bboxes=boxes.to(labels.device), labels=labels, masks=BitmapMasks(masks, side, side)
        ),
    )


def _resized(part: Any, size: int) -> Any:
    """A part's config for another input; which CLIP it is has a size of its own."""
    if not isinstance(part, dict):
        return part
    return {key: size if key in _SIZE_KEYS else value for key, value in part.items()}
