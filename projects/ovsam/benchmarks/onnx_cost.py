"""Exports and precisions beside the model in torch: what they cost and give on test images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config

from ovsam_onnx import OnnxPredictor

from ..apis import OVSAMPredictor
from ..masks.mask_iou import mask_iou
from ..utils.images import read_image
from .scenes import data_of
from .timing import seconds


class OnnxCost(NamedTuple):
    """What one way of running the model costs and gives.

    Attributes:
        title: ``'torch'``, or the folder.
        precision: Of weights.
        size: Bytes of the graphs, or of the model's weights.
        encode: (n,) seconds for each image.
        click: (n,) seconds for a point on it, name included.
        iou: (m,) of the masks of all objects, prompted by their boxes.
        right: (m,) bool, whether their names are right.
    """

    title: str
    precision: str
    size: int
    encode: np.ndarray
    click: np.ndarray
    iou: np.ndarray
    right: np.ndarray


def measure_onnx(
    cfg: Config, folders: Sequence[Path], images: int, precisions: Sequence[str] = ('fp32',)
) -> list[OnnxCost]:
    """Ask the model in torch and its exports the same, in turn, on as many threads as torch has.

    Args:
        cfg: That was exported, with its test data; its weights are read.
        folders: What ``ovsam export`` wrote of it.
        images: How many, spread over the data. The times of the first one do not count.
        precisions: Of torch's rows, see :class:`~ovsam.apis.OVSAMPredictor`.

    Returns:
        A row for each precision in torch, then one for each folder. Objects are those that
        the data set gives; their names are judged among all that the model knows.

    Raises:
        FileNotFoundError: Data, weights or an export are missing.
        ValueError: An export has other names than the config, there are not two images, or no
            such precision.
    """
    dataset = data_of(cfg)
    if not 2 <= images <= len(dataset):
        raise ValueError(f'images must be from 2 to the {len(dataset)} there are; got {images}')
    models = [OVSAMPredictor(cfg, device='cpu', precision=each) for each in precisions]
    if models[0].vocabulary is None:
        raise ValueError(f'a {type(models[0].model).__name__} gives no names to compare')
    threads = torch.get_num_threads()
    exports = [OnnxPredictor(each, each / 'names.safetensors', threads=threads) for each in folders]
    for folder, export in zip(folders, exports):
        if export.vocabulary is None or export.vocabulary.names != models[0].vocabulary.names:
            raise ValueError(f'{folder} has other names than {cfg.filename}: export this config')
    classes = dataset.metainfo['classes']
    predictors: list[OVSAMPredictor | OnnxPredictor] = [*models, *exports]
    runs: list[list[tuple]] = [[] for _ in predictors]
    for place in (index * len(dataset) // images for index in range(images)):
        sample = dataset[place]['data_samples']
        for run, predictor in zip(runs, predictors):
            run.append(_asked(predictor, sample, classes))
    weights = [
        sum(
            each.numel() * each.element_size()
            for name, each in model.model.named_parameters()
            if not name.startswith('text_encoder.')  # which is no part of an export
        )
        for model in models
    ]
    sizes = [*weights, *(sum(file.stat().st_size for file in _graphs(each)) for each in folders)]
    kinds = [*precisions, *(each.model.settings['precision'] for each in exports)]
    rows = []
    for title, kind, size, run in zip(
        (*['torch'] * len(models), *map(str, folders)), kinds, sizes, runs
    ):
        encode, click, ious, right = zip(*run)
        times = np.array(encode[1:]), np.array(click[1:])
        rows.append(
            OnnxCost(title, kind, size, *times, np.concatenate(ious), np.concatenate(right))
        )
    return rows


def _asked(
    predictor: OVSAMPredictor | OnnxPredictor, sample, classes: Sequence[str]
) -> tuple[float, float, list[float], list[bool]]:
    """Seconds to encode and of a click, and how good masks and names of all objects are."""
    truth, image = sample.gt_instances, read_image(sample.img_path)
    boxes = np.asarray(getattr(truth.bboxes, 'tensor', truth.bboxes))
    point = (boxes[:1, :2] + boxes[:1, 2:]) / 2 if len(boxes) else np.array([[1, 1]])
    encode = seconds(lambda: predictor.set_image(image))
    click = seconds(lambda: predictor.predict(point))
    found = predictor.predict(boxes=boxes, none_threshold=0.0)
    ious = [mask_iou(*pair) for pair in zip(truth.masks.to_ndarray().astype(bool), found.masks)]
    names = [classes[label] for label in truth.labels.tolist()]
    return encode, click, ious, [name == label for name, label in zip(names, found.labels or ())]


def _graphs(folder: Path) -> list[Path]:
    """With the weights of large ones beside them."""
    return sorted(folder.glob('*.onnx*'))
