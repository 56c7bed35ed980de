"""What a model found at the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ovsam_onnx.masks import tight_boxes
from ovsam_onnx.prediction import Prediction as NumpyPrediction

from ..utils.files import write_json
from ..utils.run_lengths import read_mask, run_lengths_of

if TYPE_CHECKING:
    import supervision
    from mmdet.structures import DetDataSample
    from torch import Tensor

    from ..vocabulary import Vocabulary

UNNAMED = 'object'  # what formats that need a name call what has none


@dataclass(frozen=True, eq=False)
class Prediction(NumpyPrediction):
    """What a model in torch found; one row per mask unless several were asked for.

    The other columns are those of :class:`ovsam_onnx.Prediction`; all but masks and boxes are None
    where they are not known, those of names if the model does not name.

    Attributes:
        region_embeddings: (N, E, C) float32 tensor on the model's device, what names are compared
            with, by E opinions.
        leaves: N tuples of names of the vocabulary, each with its probability, likeliest first,
            that a label may stand for which is more general than they are; None if there was no
            back-off.
    """

    region_embeddings: Tensor | None = None
    leaves: list[tuple[tuple[str, float], ...]] | None = None

    @staticmethod
    def _joined(columns: Sequence[Any]) -> Any:
        if isinstance(columns[0], np.ndarray):
            return np.concatenate(columns)
        import torch

        return torch.cat(columns)

    @classmethod
    def from_coco(cls, annotations: Sequence[dict], image_size: tuple[int, int]) -> Prediction:
        """From annotations in COCO's form, what :meth:`to_coco` gives or others made.

        Args:
            annotations: Dicts with ``segmentation`` (polygons or RLE, of either kind) and
                whatever else of :meth:`to_coco` there is. Without ``alternatives`` a name is the
                only one; columns that some of them lack are None. Of no annotations, all columns
                are there and empty.
            image_size: (height, width).

        Raises:
            ValueError: A mask is missing, malformed, or of an image of another size.
        """
        masks: np.ndarray = np.zeros((len(annotations), *image_size), dtype=bool)
        for mask, annotation in zip(masks, annotations):
            mask[:] = read_mask(annotation.get('segmentation'), image_size)

        def column(key: str) -> np.ndarray | None:
            if not all(key in annotation for annotation in annotations):
                return None
            # JSON has null for what has no value, which becomes nan.
            return np.array([annotation[key] for annotation in annotations], np.float32)

        columns: dict[str, Any] = {
            'quality': column('predicted_iou'),
            'stability': column('stability_score'),
        }
        if all('category_name' in annotation for annotation in annotations):
            pairs = [
                annotation.get('alternatives')
                or [[annotation['category_name'], annotation.get('score', 1.0)]]
                for annotation in annotations
            ]
            width = min((len(row) for row in pairs), default=0)
            columns.update(
                labels=[annotation['category_name'] for annotation in annotations],
                label_scores=np.array(
                    [annotation.get('score', 1.0) for annotation in annotations], np.float32
                ),
                top_names=[tuple(name for name, _ in row[:width]) for row in pairs],
                top_scores=np.array(
                    [[score for _, score in row[:width]] for row in pairs], np.float32
                ).reshape(len(pairs), width),
            )
            if all('leaves' in annotation for annotation in annotations):
                columns['leaves'] = [
                    tuple((name, score) for name, score in annotation['leaves'])
                    for annotation in annotations
                ]
        return cls(masks, tight_boxes(masks), **columns)

    def require_masks(self, where: str) -> None:
        """See that every prompt has an answer.

        Args:
            where: Ends "the model finds nothing ...".

        Raises:
            ValueError: A mask is empty.
        """
        nothing = np.flatnonzero(~self.masks.any(axis=(1, 2)))
        if len(nothing):
            raise ValueError(
                f'the model finds nothing {where} at prompt {nothing[0]} of {len(self)} '
                '(counted from 0): show the object by a box, or by more points'
            )

    def to_coco(self) -> list[dict]:
        """Annotations in COCO's form, one per prompt.

        Returns:
            Dicts with ``segmentation`` (compressed RLE), ``area`` (pixels), ``bbox`` (x, y,
            width, height); ``predicted_iou`` and ``stability_score`` if known; and
            ``category_name``, ``score`` and ``alternatives`` (pairs of name and score, best
            first) if it names; ``leaves``, such pairs, too, after a back-off.
        """
        return [self._annotation(row) for row in range(len(self))]

    def save_json(self, path: str | Path) -> None:
        """Write :meth:`to_coco` to a file, whole or not at all."""
        write_json(path, self.to_coco(), indent=1)

    def to_data_sample(self, classes: Vocabulary | Sequence[str] | None = None) -> DetDataSample:
        """mmdet's record.

        Args:
            classes: The names that ``labels`` count; those found here, in order, if not given.

        Returns:
            A sample with ``ori_shape``, ``img_shape`` and ``classes``, and ``pred_instances``
            with ``bboxes``, ``labels``, ``scores`` (of the names; the quality without names),
            ``masks`` (bool), and, if the quality is known, ``mask_scores``, by which mmdet's
            metrics rank masks: the quality, cut to [0, 1], times the name's score. Boxes and masks
            share the memory of this record.

        Raises:
            ValueError: A name is not among ``classes``.
        """
        import torch
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        names, labels = self._numbered(classes)
        size = self.masks.shape[1:]
        sample = DetDataSample(metainfo=dict(ori_shape=size, img_shape=size, classes=names))
        sample.pred_instances = InstanceData(
            bboxes=torch.from_numpy(self.boxes),
            labels=torch.from_numpy(labels),
            scores=torch.from_numpy(self._scores()),
            masks=torch.from_numpy(self.masks),
        )
        if self.quality is not None:
            quality = torch.from_numpy(self.quality).clamp(0, 1)
            sample.pred_instances.mask_scores = (
                quality
                if self.label_scores is None
                else (quality * torch.from_numpy(self.label_scores))
            )
        return sample

    def to_supervision(
        self, classes: Vocabulary | Sequence[str] | None = None
    ) -> supervision.Detections:
        """The record of the package ``supervision``, which must be installed.

        Args:
            classes: See :meth:`to_data_sample`.

        Returns:
            Detections with ``xyxy``, ``mask``, ``confidence``, ``class_id`` and
            ``data['class_name']``.

        Raises:
            ImportError: The package cannot be imported.
            ValueError: A name is not among ``classes``.
        """
        try:
            import supervision
        except ImportError as error:
            raise ImportError(
                f'to_supervision needs the package supervision ({error}): pip install supervision'
            ) from error
        names, labels = self._numbered(classes)
        return supervision.Detections(
            xyxy=self.boxes.copy(),
            mask=self.masks.copy(),
            confidence=self._scores(),
            class_id=labels,
            data={'class_name': np.array([names[label] for label in labels], dtype=str)},
        )

    def _numbered(
        self, classes: Vocabulary | Sequence[str] | None
    ) -> tuple[tuple[str, ...], np.ndarray]:
        """Names, and what each row's name is among them, (N,) int64."""
        labels = [UNNAMED] * len(self) if self.labels is None else self.labels
        if classes is None:
            classes = list(dict.fromkeys(labels))
        names = tuple(classes if isinstance(classes, Sequence) else classes.names)
        places = {name: place for place, name in enumerate(names)}
        unknown = sorted(set(labels) - set(places))
        if unknown:
            raise ValueError(
                f'{len(unknown)} names that were found are not among the '
                f'{len(names)} classes: {unknown[:5]}'
            )
        return names, np.array([places[label] for label in labels], dtype=np.int64)

    def _scores(self) -> np.ndarray:
        """(N,) float32, of names or else of masks."""
        for scores in (self.label_scores, self.quality):
            if scores is not None:
                return scores.astype(np.float32)
        return np.ones(len(self), np.float32)

    def _annotation(self, row: int) -> dict:
        x1, y1, x2, y2 = self.boxes[row].tolist()
        annotation = {
            'segmentation': run_lengths_of(self.masks[row]),
            'area': int(self.masks[row].sum()),
            'bbox': [x1, y1, x2 - x1, y2 - y1],
        }
        if self.quality is not None:
            annotation['predicted_iou'] = float(self.quality[row])
        if self.stability is not None:
            annotation['stability_score'] = float(self.stability[row])
        if self.labels is not None:
            annotation['category_name'] = self.labels[row]
        if self.label_scores is not None:
            annotation['score'] = float(self.label_scores[row])
        if self.top_names is not None and self.top_scores is not None:
            pairs = zip(self.top_names[row], self.top_scores[row].tolist())
            annotation['alternatives'] = [list(pair) for pair in pairs]
        if self.leaves is not None:
            annotation['leaves'] = [list(pair) for pair in self.leaves[row]]
        return annotation
