"""What Label Studio asks for, done by a model that is shared by all requests.

Nothing of a request outlives it but encoded images and encoded names.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ovsam_onnx.prediction import Prediction

from ...utils.wording import listed
from ...version import __version__
from ..annotator import Annotator, Names, Picture
from .brush_rle import encode_brush_rle
from .labeling_config import BrushControl, control_for, parse_labeling_config
from .region_prompts import image_name, region_prompts

if TYPE_CHECKING:
    from ..served_model import KnownNames
    from .task_images import TaskImages

logger = logging.getLogger(__name__)


class LabelStudioBackend:
    """Answers the requests of Label Studio's ML backend protocol.

    Args:
        annotator: What does the work.
        images: Where tasks' images come from.
        own_vocabulary: Name from the model's vocabulary, and give each region the likeliest of the
            project's labels that is in it; if not, the project's labels are the vocabulary.
        everything: Answer requests without prompts, which ask for pre-annotations, by everything
            mode; if not, these get no regions.

    Attributes:
        model_version: What Label Studio files predictions under.
    """

    def __init__(
        self,
        annotator: Annotator,
        images: TaskImages,
        *,
        own_vocabulary: bool = False,
        everything: bool = False,
    ) -> None:
        self._annotator = annotator
        self._images = images
        self._own_vocabulary = annotator.model.vocabulary if own_vocabulary else None
        self._everything = everything
        self.model_version = f'ovsam-{__version__}'

    def setup(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to ``/setup``, which a project asks when it is connected or has changed.

        Raises:
            ValueError: The project's labelling configuration, ``schema``, has no place for masks,
                or none of its labels is in the vocabulary, or the model cannot name one.
        """
        for control in parse_labeling_config(request.get('schema', '')):
            if self._own_vocabulary is not None:
                _label_places(self._own_vocabulary, control)
            elif not self._annotator.model.any_names:
                self._annotator.predictor(control.names)
        return {'model_version': self.model_version}

    def versions(self) -> dict[str, Any]:
        """The answer to ``/versions``."""
        return {'versions': [self.model_version]}

    def predict(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to ``/predict``: regions for each task.

        With regions in ``params.context.result`` they are prompts, for the only task. Without a
        context everything is asked for. Of several tasks, one whose picture cannot be used gets
        no regions and an ``error``; if none can, the request fails.

        Raises:
            OSError: An image cannot be had: ConnectionError, FileNotFoundError, PermissionError.
            ValueError: The request is malformed, its prompts are, or an image is.
        """
        tasks = request.get('tasks')
        if not isinstance(tasks, list) or not all(
            isinstance(task, dict) and isinstance(task.get('data'), dict) for task in tasks
        ):
            raise ValueError('tasks must be a list of tasks with data')
        controls = parse_labeling_config(request.get('label_config', ''))
        params = request.get('params') or {}
        context = params.get('context') if isinstance(params, dict) else None
        if not context:
            return self._answer(self._each(tasks, control_for(controls, None)))
        regions: Any = context.get('result') if isinstance(context, dict) else None
        if len(tasks) != 1:
            raise ValueError(f'prompts are for one task; got {len(tasks)}')
        control = control_for(controls, image_name(regions))
        picture = self._picture(control, tasks[0]['data'])
        prompts = region_prompts(regions, picture.image.original)
        founds = self._annotator.click(picture, prompts, *self._names(control))
        found = [region for each in founds for region in self._regions(control, each)]
        return self._answer([self._prediction(found)])

    def _answer(self, results: list[dict]) -> dict[str, Any]:
        return {'results': results, 'model_version': self.model_version}

    def _prediction(self, regions: list[dict]) -> dict[str, Any]:
        """The answer for one task; its score is the mean of its regions', 0 without any."""
        scores = [region['score'] for region in regions]
        score = float(np.mean(scores)) if scores else 0.0
        return {'result': regions, 'score': score, 'model_version': self.model_version}

    def _each(self, tasks: list[dict], control: BrushControl) -> list[dict]:
        results, faults = [], []
        for task in tasks:
            try:
                found = self._everything_in(task['data'], control)
                results.append(self._prediction(found))
            except ConnectionError:  # it may answer later, and then all tasks can be done
                raise
            except (OSError, ValueError) as error:
                faults.append(error)
                logger.warning('task %r gets no regions: %s', task.get('id'), error)
                results.append({**self._prediction([]), 'error': str(error)})
        if faults and len(faults) == len(tasks):
            raise faults[0]
        return results

    def _everything_in(self, data: dict, control: BrushControl) -> list[dict]:
        if not self._everything:
            return []
        picture = self._picture(control, data)
        return self._regions(control, self._annotator.everything(picture, *self._names(control)))

    def _picture(self, control: BrushControl, data: dict) -> Picture:
        return self._annotator.encoded(*self._images.picture(control.image_of(data)))

    def _names(self, control: BrushControl) -> tuple[Names, int]:
        """The names for a control, and how many of them to ask for."""
        if self._own_vocabulary is not None:
            return self._own_vocabulary, len(self._own_vocabulary)
        return control.names, 1

    def _regions(self, control: BrushControl, found: Prediction) -> list[dict]:
        """A region for each mask that is not empty, with the likeliest of the labels."""
        vocabulary = self._annotator.predictor(self._names(control)[0]).vocabulary
        top_names, top_scores = found.top_names, found.top_scores
        # The annotator takes no model without names.
        assert vocabulary is not None and top_names is not None and top_scores is not None
        labels = {
            vocabulary.names[place]: label
            for place, label in _label_places(vocabulary, control).items()
        }
        regions = []
        for mask, names, scores in zip(found.masks, top_names, top_scores):
            likeliest = next(rank for rank, name in enumerate(names) if name in labels)
            if mask.any():
                label, score = labels[names[likeliest]], scores[likeliest]
                regions.append(_brush_region(control, mask, label, float(score)))
        return regions


def _brush_region(
    control: BrushControl, mask: np.ndarray, label: str, score: float
) -> dict[str, Any]:
    """A mask (H, W) bool with one of the control's labels, as Label Studio has it."""
    height, width = mask.shape
    return {
        'id': uuid.uuid4().hex[:10],
        'from_name': control.from_name,
        'to_name': control.to_name,
        'type': 'brushlabels',
        'original_width': width,
        'original_height': height,
        'image_rotation': 0,
        'score': score,
        'value': {'format': 'rle', 'rle': encode_brush_rle(mask), 'brushlabels': [label]},
    }


def _label_places(vocabulary: KnownNames, control: BrushControl) -> dict[int, str]:
    """The control's labels by the place of their names; of labels of one name the first.

    Of several labels of one place, that of the vocabulary's own name is meant.

    Raises:
        ValueError: None of them is in it, or several are one of its names by other words.
    """
    found: dict[int, str] = {}
    several: dict[int, list[str]] = defaultdict(list)
    for name, label in control.labels:
        place = vocabulary.find(name)
        if place is not None:
            several[place].append(name)
            if name == vocabulary.names[place] or place not in found:
                found[place] = label
    unclear = [
        f'{listed(names, between=" and ")} are all "{vocabulary.names[place]}"'
        for place, names in several.items()
        if len(names) > 1 and vocabulary.names[place] not in names
    ]
    if unclear:
        raise ValueError(
            f'labels of "{control.from_name}" mean the same name of the vocabulary '
            f'that this backend was started with: {listed(unclear, between="; ")}. '
            'Call one of them as the vocabulary does'
        )
    if not found:
        raise ValueError(
            f'none of the {len(control.labels)} labels of "{control.from_name}" is in '
            f'the vocabulary of {len(vocabulary)} names that this backend was started '
            f'with: {listed(control.names)}'
        )
    return found
