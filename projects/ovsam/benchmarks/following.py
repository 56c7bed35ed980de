"""How well objects are followed, on films whose masks are known.

They are of pictograms, or windows that move over annotated photographs.

Glossary: N objects, F frames, H x W a frame.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from ovsam_onnx.masks import tight_boxes

from ..apis import FollowSettings, OVSAMPredictor, Prediction, follow
from ..apis.init_model import load_config
from ..datasets.pictograms.glyphs import pictogram_names
from ..datasets.pictograms.motion import render_motion
from ..datasets.pictograms.renderer import Scene
from ..masks.mask_iou import mask_iou
from ..utils.images import read_image
from ..utils.tables import figure, table
from .scenes import data_of

# Films of one split begin with its seed: settings are chosen on those of the first one.
SEEDS = {'val': 1000, 'test': 2000}
SEEN = 0.1  # an object is there where so much of what is seen of it at most is seen
ON_ANOTHER = 0.5  # IoU with another object from which a mask is that one's
WINDOW = 0.7  # of a photograph's sides, that moves over it
LEAST_AREA = 64**2  # pixels of an object in a photograph
HEAD = ['', 'J', 'found', 'lost', 'switched', 'named', 's a frame']

# Of each frame: the objects, and which of them are said to be lost.
Answers = Iterator[tuple[Prediction, np.ndarray]]


def last_box(predictor: OVSAMPredictor, film: Sequence[Scene]) -> Answers:
    """What is in the box that an object had in the frame before: the least that can be done."""
    boxes = tight_boxes(film[0].masks)
    for scene in film:
        predictor.set_image(scene.image)
        found = predictor.predict(boxes=boxes)
        there = np.asarray(found.masks.any(axis=(1, 2)))
        boxes = np.where(there[:, None], found.boxes, boxes)
        yield found, ~there


def true_box(predictor: OVSAMPredictor, film: Sequence[Scene]) -> Answers:
    """What is in an object's true box: the most that these weights can do."""
    for scene in film:
        predictor.set_image(scene.image)
        there = np.asarray(scene.masks.any(axis=(1, 2)))
        boxes = tight_boxes(scene.masks)
        found = predictor.predict(boxes=np.where(there[:, None], boxes, np.float32([0, 0, 9, 9])))
        found.masks[~there] = False
        yield found, ~there


@dataclass
class Tally:
    """Figures of one way of following, one entry for each object in a frame after the first."""

    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, film: Sequence[Scene], names: Sequence[str], answers: Answers) -> None:
        """Follow a film and count; names are those of labels."""
        areas = np.stack([scene.masks.sum(axis=(1, 2)) for scene in film])
        seen = areas >= SEEN * areas.max(axis=0).clip(min=1)
        names = [names[label] for label in film[0].labels]
        begun = time.perf_counter()
        for index, (scene, (found, lost)) in enumerate(zip(film, answers)):
            self.figures['seconds'].append(time.perf_counter() - begun)
            if index:
                self._count(scene.masks, found, lost, seen[index], names)
            begun = time.perf_counter()

    def row(self, title: str) -> list[str]:
        """Cells below :data:`HEAD`: percent, and seconds."""
        means = {name: float(np.mean(values)) for name, values in self.figures.items() if values}
        shares = ('J', 'found', 'lost', 'switched', 'named')
        cells = [figure(100 * means[name] if name in means else None) for name in shares]
        return [title, *cells, figure(means['seconds'], 2)]

    def _count(
        self,
        truth: np.ndarray,
        found: Prediction,
        lost: np.ndarray,
        seen: np.ndarray,
        names: Sequence[str],
    ) -> None:
        for row, name in enumerate(names):
            ious = np.array([0.0 if lost[row] else mask_iou(found.masks[row], m) for m in truth])
            best = int(ious.argmax())
            self.figures['switched'].append(best != row and ious[best] >= ON_ANOTHER)
            if not seen[row]:
                self.figures['lost'].append(bool(lost[row]))
                continue
            self.figures['J'].append(float(ious[row]))
            self.figures['found'].append(not lost[row])
            if found.labels is not None:
                self.figures['named'].append(found.labels[row] == name)


def follow_films(args: argparse.Namespace) -> None:
    """How well objects are followed through films whose masks are known, beside simpler ways."""
    if args.frames < 2:
        raise ValueError(f'--frames must be at least 2; got {args.frames}')
    settings = dict(map(_setting, args.set))
    FollowSettings(**settings)

    def followed(predictor: OVSAMPredictor, film: Sequence[Scene]) -> Answers:
        frames = (scene.image for scene in film)
        for each in follow(predictor, frames, boxes=tight_boxes(film[0].masks), **settings):
            yield each.found, each.lost

    ways: dict[str, Callable[[OVSAMPredictor, Sequence[Scene]], Answers]] = {
        'followed': followed,
        'the last box': last_box,
        'the true box': true_box,
    }
    ways = {title: ways[title] for title in (['followed'] if args.alone else ways)}
    for config in args.configs:
        predictor = OVSAMPredictor(config, device=args.device)
        if args.photographs:
            names, films = photograph_films(
                config, args.split, args.films, args.frames, args.objects
            )
        else:
            names = pictogram_names()
            seeds = range(SEEDS[args.split], SEEDS[args.split] + args.films)
            films = (draw_film(seed, args.frames, args.objects) for seed in seeds)
        tallies = {title: Tally() for title in ways}
        for film in tqdm(films, config, args.films, unit='film'):
            for title, way in ways.items():
                tallies[title].add(film, names, way(predictor, film))
        print(f'{config}, {args.films} films ({args.split}) of {args.frames} frames')
        print(table(HEAD, [tally.row(title) for title, tally in tallies.items()]))


def draw_film(seed: int, frames: int, objects: int) -> list[Scene]:
    """A film of different pictograms."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(pictogram_names()), objects, replace=False)
    return list(render_motion(rng, labels, frames))


def photograph_films(
    config: str, split: str, films: int, frames: int, objects: int
) -> tuple[Sequence[str], Iterator[list[Scene]]]:
    """Windows that move over pictures of a config's data, and the names of labels before them.

    Pictures have at most so many ``objects``, each larger than :data:`LEAST_AREA`.

    Raises:
        FileNotFoundError: There are no such data.
        ValueError: The config names no such data, or there are fewer such pictures.
    """
    dataset = data_of(load_config(config), split)
    chosen: list[Any] = []
    for index in np.random.default_rng(SEEDS[split]).permutation(len(dataset)).tolist():
        if len(chosen) == films:
            break
        sample = dataset[index]['data_samples']
        areas = sample.gt_instances.masks.to_ndarray().sum(axis=(1, 2))
        if 0 < len(areas) <= objects and areas.min() > LEAST_AREA:
            chosen.append(sample)
    if len(chosen) < films:
        raise ValueError(
            f'{config} has {len(chosen)} {split} pictures of 1 to {objects} large objects each: '
            f'ask for as many --films; got {films}'
        )
    return dataset.metainfo['classes'], (_windows(sample, frames) for sample in chosen)


def _windows(sample: Any, frames: int) -> list[Scene]:
    """A window of :data:`WINDOW` of a picture's sides moves over it, and back half of the way."""
    image, truth = read_image(sample.img_path), sample.gt_instances
    masks: np.ndarray = truth.masks.to_ndarray().astype(bool)
    height, width = (int(WINDOW * side) for side in image.shape[:2])
    rng = np.random.default_rng(sample.img_id)
    begun, turned = rng.random((2, 2)) * [image.shape[0] - height, image.shape[1] - width]
    scenes = []
    for moment in np.linspace(0, 1.5, frames):
        place = begun + (1 - abs(1 - moment)) * (turned - begun)
        top, left = place.astype(int)
        rows, columns = slice(top, top + height), slice(left, left + width)
        scenes.append(Scene(image[rows, columns], truth.labels.numpy(), masks[:, rows, columns]))
    return scenes


def _setting(text: str) -> tuple[str, Any]:
    """A setting's name and value, of ``NAME=VALUE``."""
    name, _, value = text.partition('=')
    known = {name: type(value) for name, value in asdict(FollowSettings()).items()}
    if name not in known:
        raise ValueError(f'there is no setting {name!r}: choose of {", ".join(known)}')
    try:
        return name, known[name](value)
    except ValueError as error:
        raise ValueError(f'--set must be NAME=VALUE with a number; got {text!r}') from error
