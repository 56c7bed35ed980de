"""The same scenes as each method sees them.

Glossary: n instances of one scene, H x W its image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import DATASETS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import nn

from ..utils.files import write_whole
from ..utils.images import png, read_image
from ..visualization import contact_sheet, draw_segments
from .methods import Method

CELL_WIDTH = 320
WRONG = '✗ '
# A detector gives many boxes that it does not believe in itself.
MIN_SCORE = 0.3


def data_of(cfg: Config, split: str = 'test') -> Any:
    """The data set of a config, of the split ``'test'`` or ``'val'``.

    Raises:
        ValueError: The config names no such data.
        FileNotFoundError: There are no such data.
    """
    loader = cfg.get(f'{split}_dataloader')
    if not loader:
        raise ValueError(
            f'the config names no {split} data: give one with '
            f'{split}_dataloader = dict(dataset=...), such as configs/photo/all_box.py'
        )
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet')):
        return DATASETS.build(loader.dataset)


def scene_sheet(
    names: Sequence[str], pictures: Sequence[Sequence[tuple[Path, Path]]]
) -> np.ndarray:
    """Scenes as rows; as columns the truth with the prompts, then each method. RGB uint8.

    Args:
        names: Of the methods, which have the same prompts.
        pictures: Of each method, as :func:`draw_scenes` gives them.
    """
    # The first method's truth: all have the same data.
    columns = [
        [truth for truth, _ in pictures[0]],
        *([found for _, found in column] for column in pictures),
    ]
    rows = list(zip(*columns))
    return contact_sheet(
        [read_image(cell) for row in rows for cell in row],
        len(columns),
        ['truth', *names] * len(rows),
        CELL_WIDTH,
    )


def draw_scenes(
    method: Method, build: Callable[[], nn.Module], count: int, folder: Path
) -> list[tuple[Path, Path]]:
    """Pictures of the truth and of what a method finds, two paths for each scene.

    Wrong names begin with a cross. Scenes are spread over the data set, ``count`` of them or all.
    The model is built only if a picture is not in the folder yet.
    """
    dataset = data_of(method.cfg)
    count = min(count, len(dataset))
    places = [index * len(dataset) // count for index in range(count)]
    kept = folder / f'{method.path.stem}-{method.fingerprint}'
    paths = [(kept / f'{place}-truth.png', kept / f'{place}.png') for place in places]
    if all(path.is_file() for pair in paths for path in pair):
        return paths
    model = build()
    for place, pair in zip(places, paths):
        with torch.no_grad():
            (sample,) = model.test_step(pseudo_collate([dataset[place]]))
        for path, picture in zip(pair, _draw(sample, dataset.metainfo['classes'], model)):
            write_whole(path, png(picture))
    return paths


def _draw(
    sample: DetDataSample, classes: Sequence[str], model: nn.Module
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of the truth and of what was found."""
    image = read_image(sample.img_path, tuple(sample.ori_shape[:2]))
    truth, found = sample.gt_instances.cpu(), sample.pred_instances.cpu()
    names = [classes[label] for label in truth.labels.tolist()]
    prompter = getattr(model, 'prompter', None)
    prompts = None if prompter is None else prompter([sample]).to('cpu')
    masks = (
        truth.masks.to_ndarray()
        if 'masks' in truth
        else np.zeros((len(truth), *image.shape[:2]), bool)
    )
    picture = draw_segments(image, masks, names, prompts=prompts)
    if 'instance_index' not in found and 'scores' in found:
        found = found[found.scores >= MIN_SCORE]
    return picture, draw_segments(image, found.masks, _names(found, names, model, classes))


def _names(found, truth: Sequence[str], model: nn.Module, classes: Sequence[str]) -> list | None:
    """What each row is called, with a cross if it stands for an instance of another name."""
    if 'labels' not in found:
        return None
    vocabulary = getattr(model, 'vocabulary', None)
    meanings = classes if vocabulary is None else vocabulary.names
    names = [meanings[label] for label in found.labels.tolist()]
    if 'instance_index' not in found:
        return names
    return [
        name if name == truth[index] else f'{WRONG}{name}'
        for name, index in zip(names, found.instance_index.tolist())
    ]
