"""Where prompts come from when nobody points: everything mode, files, a detector.

A source segments an image that has been set in a predictor; naming is the caller's.
Coordinates are pixels of the original image.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from mmdet.apis import init_detector
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config

from ..detectors.box_finder import BoxFinder
from ..detectors.detection_naming import SegmenterLabel
from ..detectors.detector_names import DetectorNames
from ..prompts import Prompts
from ..utils.digest import fingerprint
from ..utils.wording import listed
from .everything import EverythingMode
from .init_model import choose_device
from .prediction import Prediction
from .predictor import OVSAMPredictor
from .user_prompts import make_prompts

# What files call the arguments of predictors.
_KEYS = {'point_coords': '"points"', 'point_labels': '"labels"', 'boxes must': '"box" must'}
_ARGUMENT = re.compile('|'.join(_KEYS))


class PromptSource(Protocol):
    """What says where to look in an image."""

    def segment(
        self, predictor: OVSAMPredictor, pixels: np.ndarray, file: Path | None
    ) -> Prediction:
        """Masks of the image that has been set; they need no names.

        Args:
            predictor: With the image.
            pixels: (H, W, 3) RGB uint8, the image.
            file: Of the image; None for an array.

        Raises:
            ValueError: There are no usable prompts for this image.
            OSError: They cannot be read.
        """

    def fingerprint(self, file: Path | None) -> str:
        """What is the same only if the prompts of an image are."""


class EverythingPrompts:
    """Everything mode.

    Args:
        **settings: Of :class:`~.everything.EverythingMode`, in place of the model's.

    Raises:
        TypeError: There is no such setting.
        ValueError: One is out of its range.
    """

    def __init__(self, **settings) -> None:
        EverythingMode(**settings)
        self._settings = settings

    def segment(
        self, predictor: OVSAMPredictor, pixels: np.ndarray, file: Path | None
    ) -> Prediction:
        """See :class:`PromptSource`."""
        return predictor.segment_everything(**self._settings)

    def fingerprint(self, file: Path | None) -> str:
        """See :class:`PromptSource`."""
        return f'everything {sorted(self._settings.items())}'


class PromptFiles:
    """A JSON file per image, or one for all images.

    A file holds a list of prompts, or an object whose ``prompts`` is that list. A prompt is an
    object with ``points`` (pairs x, y), with or without ``labels`` (1 on the object, 0 not on
    it), with a ``box`` (x1, y1, x2, y2), or with both::

        [{"points": [[120, 80], [150, 95]], "labels": [1, 0]}, {"box": [40, 30, 200, 180]}]

    Args:
        path: A folder, with ``scene.jpg.json`` or ``scene.json`` for ``scene.jpg``; or one file,
            for every image.

    Raises:
        FileNotFoundError: There is nothing of that path.
        ValueError: It is a config.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        if self._path.suffix == '.py':
            raise ValueError(
                f'{path} is a config, not a file of prompts: for the boxes of a '
                f'detector use DetectorBoxes({str(path)!r}, weights)'
            )
        if not self._path.exists():
            raise FileNotFoundError(f'there is no file or folder of prompts {path}')

    def segment(
        self, predictor: OVSAMPredictor, pixels: np.ndarray, file: Path | None
    ) -> Prediction:
        """See :class:`PromptSource`."""
        return segment_each(predictor, self.read(file))

    def read(self, file: Path | None) -> list[Prompts]:
        """The prompts of an image file, one each; errors as of :meth:`segment`."""
        path = self.file_of(file)
        try:
            content: Any = json.loads(path.read_text(encoding='utf-8-sig'))
        except UnicodeDecodeError as error:
            raise ValueError(f'{path} is not text in UTF-8 ({error}): save it as UTF-8') from error
        except ValueError as error:
            raise ValueError(f'{path} is not JSON: {error}') from error
        rows = content.get('prompts') if isinstance(content, dict) else content
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(f'{path} must hold a list of prompts, objects with "points" or "box"')
        prompts = []
        for number, row in enumerate(rows):
            unknown = sorted(set(row) - {'points', 'labels', 'box'})
            try:
                if unknown:
                    raise ValueError(
                        f'it has "{unknown[0]}"; expected "points", "labels" and "box"'
                    )
                if row.get('points') is None and row.get('box') is None:
                    raise ValueError('it has neither "points" nor "box"')
                prompt = make_prompts(row.get('points'), row.get('labels'), row.get('box'))
                if len(prompt) != 1:
                    raise ValueError('"points" are pairs and "box" is four numbers, of one object')
            except ValueError as error:
                words = _ARGUMENT.sub(lambda found: _KEYS[found[0]], str(error))
                raise ValueError(f'prompt {number} of {path}: {words}') from error
            prompts.append(prompt)
        return prompts

    def expect(self, images: Sequence[Path]) -> None:
        """See that no two images, which may have the same name, take one file of a folder.

        Raises:
            ValueError: Some do.
        """
        if self._path.is_file():
            return
        takers: dict[Path, list[str]] = defaultdict(list)
        for image in dict.fromkeys(images):
            with contextlib.suppress(FileNotFoundError):  # told when it is this image's turn
                takers[self.file_of(image)].append(str(image))
        shared = [
            f'{file} for {listed(several, between=" and ")}'
            for file, several in takers.items()
            if len(several) > 1
        ]
        if shared:
            raise ValueError(
                'some prompts would be taken for several pictures: '
                f'{listed(shared, between="; ")}. Name prompts with the suffix of their '
                'picture, as in scene.jpg.json, and give folders one after the other'
            )

    def fingerprint(self, file: Path | None) -> str:
        """See :class:`PromptSource`."""
        # What is not UTF-8 is an error when it is read as prompts.
        return self.file_of(file).read_text(encoding='utf-8', errors='backslashreplace')

    def file_of(self, image: Path | None) -> Path:
        """Where the prompts of an image file are; errors as of :meth:`segment`."""
        if self._path.is_file():
            return self._path
        if image is None:
            raise ValueError(
                f'{self._path} has prompts by the names of files, but the image is '
                'an array: give one file of prompts'
            )
        files = [self._path / f'{name}.json' for name in (image.name, image.stem)]
        for file in files:
            if os.path.isfile(file):  # a Path has an error for what is too long for a name
                return file
        raise FileNotFoundError(f'there are no prompts for {image.name}: {files[1]} is missing')


class DetectorBoxes:
    """The boxes of a detector of mmdet; its names are left alone.

    Args:
        config: Of the detector, a path or a config.
        weights: Its checkpoint; the config's ``load_from`` if not given.
        score_thr: Least score of a box.
        device: Of :func:`~.init_model.choose_device`.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: There are no weights, or there is no such device.
    """

    def __init__(
        self,
        config: str | Path | Config,
        weights: str | Path | None = None,
        score_thr: float = 0.3,
        device: str | torch.device | None = None,
    ) -> None:
        cfg = config.copy() if isinstance(config, Config) else Config.fromfile(config)
        weights = weights or cfg.get('load_from')
        if not weights:
            raise ValueError(
                'the detector has no weights: its config has no load_from, so give its checkpoint'
            )
        model = init_detector(cfg, str(weights), device=str(choose_device(device)))
        names = DetectorNames(model, None, None, SegmenterLabel())
        self._find_boxes = BoxFinder(model, get_test_pipeline_cfg(cfg), names)
        self._score_thr = score_thr
        self._fingerprint = fingerprint([cfg.to_dict(), score_thr], model.state_dict())

    def segment(
        self, predictor: OVSAMPredictor, pixels: np.ndarray, file: Path | None
    ) -> Prediction:
        """See :class:`PromptSource`."""
        size = pixels.shape[:2]
        sample = DetDataSample(metainfo=dict(img_path=file, ori_shape=size, img_shape=size))
        # mmdet's arrays are BGR.
        image = torch.from_numpy(pixels[..., ::-1].transpose(2, 0, 1).copy())
        (found,) = self._find_boxes([image], [sample])
        boxes = found.bboxes[found.scores >= self._score_thr]
        return predictor.segment_prompts(Prompts.from_boxes(boxes.cpu()).as_guessed())

    def fingerprint(self, file: Path | None) -> str:
        """See :class:`PromptSource`."""
        return self._fingerprint


def segment_each(predictor: OVSAMPredictor, prompts: Sequence[Prompts]) -> Prediction:
    """Masks of records of one prompt each, in their order, without names.

    Prompts of the same number of points go together: filled up, they would be other prompts.

    Raises:
        RuntimeError: No image has been set.
        ValueError: A prompt is outside of it; the message says which.
    """
    if predictor.image_size is not None:  # else the predictor says so; in groups, numbers differ
        Prompts.cat(prompts).given().check_inside(predictor.image_size)
    places: dict[int, list[int]] = {}
    for place, prompt in enumerate(prompts):
        places.setdefault(prompt.coords.shape[1], []).append(place)
    order = [place for group in places.values() for place in group]
    parts = [
        predictor.segment_prompts(Prompts.cat([prompts[place] for place in group]))
        for group in places.values()
    ]
    if not parts:
        return predictor.segment_prompts(Prompts.from_boxes(torch.zeros(0, 4)))
    found = Prediction.cat(parts).select(np.argsort(order))
    return replace(found, prompt_index=np.arange(len(prompts)))
