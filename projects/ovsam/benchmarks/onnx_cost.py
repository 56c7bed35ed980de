"""Exports and precisions beside the model in torch: what they cost and give on test images."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ovsam_onnx import OnnxPredictor

from ..apis import OVSAMPredictor
from ..apis.init_model import load_config
from ..masks.mask_iou import mask_iou
from ..utils.images import read_image
from ..utils.marked_section import insert_section
from ..utils.tables import table
from .scenes import data_of
from .timing import seconds, threads


def onnx(args: argparse.Namespace) -> None:
    """Exports and precisions beside the model in torch, on the config's test data."""
    rows = _measured(args)
    head = ['', 'precision', 'MB']
    beside = {'to torch': rows[0]['times']}
    if args.folders:
        beside['to the first export'] = rows[len(args.precision)]['times']
    for title in ('ms an image', 'ms a click'):
        head += [title, *beside]
    cells = []
    for row in rows:
        cells.append([row['title'], row['precision'], f'{row["size"] / 1e6:.1f}'])
        for place, times in enumerate(row['times']):
            ratios = [statistics.median(times / others[place]) for others in beside.values()]
            cells[-1] += [f'{1e3 * statistics.median(times):.1f}', *(f'{r:.2f}' for r in ratios)]
        cells[-1] += [f'{100 * row["iou"].mean():.1f}', f'{100 * row["right"].mean():.1f}']
    head += ['IoU', 'accuracy']
    note = (
        f'{args.config}: {args.images} images, {len(rows[0]["iou"])} objects by their boxes, cpu, '
        f'{threads()}; in turn, medians of times and of their ratios; MB of graphs, in torch of '
        'weights without the text encoder'
    )
    print(f'{table(head, cells, texts=2)}\n{note}')
    if args.insert:
        section = f'\n{table(head, cells, "pipe", texts=2)}\n\n{note}.\n'
        insert_section(args.insert, section, args.section)


def _measured(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Ask the model in torch and its exports the same, in turn, on as many threads as torch has.

    The times of the first image do not count. Objects are those that the data set gives; their
    names are judged among all that the model knows.

    Returns:
        A row for each precision in torch, then one for each folder: ``title``; ``precision``;
        ``size``, bytes of the graphs or of the model's weights; ``times``, (n,) seconds of encoding
        each image and (n,) of a point on it, name included; ``iou``, (m,) of the masks of all
        objects, prompted by their boxes; ``right``, (m,) bool, whether their names are right.
    """
    cfg = load_config(args.config)
    dataset, images = data_of(cfg), args.images
    if not 2 <= images <= len(dataset):
        raise ValueError(f'images must be from 2 to the {len(dataset)} there are; got {images}')
    models = [OVSAMPredictor(cfg, device='cpu', precision=each) for each in args.precision]
    if models[0].vocabulary is None:
        raise ValueError(f'a {type(models[0].model).__name__} gives no names to compare')
    exports = [
        OnnxPredictor(folder, folder / 'names.safetensors', threads=torch.get_num_threads())
        for folder in args.folders
    ]
    for folder, export in zip(args.folders, exports):
        if export.vocabulary is None or export.vocabulary.names != models[0].vocabulary.names:
            raise ValueError(f'{folder} has other names than {cfg.filename}: export this config')
    sizes = [
        sum(
            each.numel() * each.element_size()
            for name, each in model.model.named_parameters()
            if not name.startswith('text_encoder.')  # which is no part of an export
        )
        for model in models
    ]
    # With the weights of large graphs beside them.
    sizes += [sum(file.stat().st_size for file in each.glob('*.onnx*')) for each in args.folders]
    predictors: list[OVSAMPredictor | OnnxPredictor] = [*models, *exports]
    runs: list[list[tuple]] = [[] for _ in predictors]
    for place in (index * len(dataset) // images for index in range(images)):
        sample = dataset[place]['data_samples']
        for run, predictor in zip(runs, predictors):
            run.append(_asked(predictor, sample, dataset.metainfo['classes']))
    titles = (*['torch'] * len(models), *map(str, args.folders))
    kinds = [*args.precision, *(each.model.settings['precision'] for each in exports)]
    rows = []
    for title, kind, size, run in zip(titles, kinds, sizes, runs):
        encode, click, ious, right = zip(*run)
        rows.append(
            dict(
                title=title,
                precision=kind,
                size=size,
                times=(np.array(encode[1:]), np.array(click[1:])),
                iou=np.concatenate(ious),
                right=np.concatenate(right),
            )
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
