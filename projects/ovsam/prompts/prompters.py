"""Prompters: how an annotated instance becomes the prompt that a user would have given.

Glossary: B images, N prompts, n instances of one image.

A prompter is called with the data samples of a batch and returns one :class:`Prompts` in the
frame of their ``gt_instances``. Random choices use numpy's global generator, which the runner
seeds.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData

from ..utils.wording import listed
from .clicks import deepest_pixel
from .prompts import Prompts


class Prompter(metaclass=ABCMeta):
    """Base of the prompters: asks :meth:`prompt` for each image and keeps the identities.

    Args:
        max_instances: At most this many instances of an image are prompted, a random subset;
            None for all. Section 4 of the paper trains with at most 40.

    Raises:
        ValueError: ``max_instances`` is not positive.
    """

    def __init__(self, max_instances: int | None = None) -> None:
        if max_instances is not None and max_instances < 1:
            raise ValueError(f'max_instances must be positive or None; got {max_instances}')
        self.max_instances = max_instances

    def __call__(self, data_samples: Sequence[DetDataSample]) -> Prompts:
        """Prompts for the ``gt_instances`` of each sample.

        Returns:
            Rows in the order of images and instances, with ``instance_index`` pointing into the
            image's ``gt_instances``. An instance that cannot be prompted (see the subclass) has
            no row.
        """
        per_image = []
        for image_index, sample in enumerate(data_samples):
            rows = self.prompt(sample.gt_instances, self._choose(len(sample.gt_instances)))
            per_image.append(
                replace(rows, image_index=torch.full_like(rows.image_index, image_index))
            )
        return Prompts.cat(per_image)

    @abstractmethod
    def prompt(self, instances: InstanceData, chosen: np.ndarray) -> Prompts:
        """One row for each of the ``chosen`` (n,) that can be prompted, with ``instance_index``.

        They are ascending places in the annotation of one image.
        """

    def _choose(self, num: int) -> np.ndarray:
        if self.max_instances is None or num <= self.max_instances:
            return np.arange(num)
        return np.sort(np.random.permutation(num)[: self.max_instances])


@TASK_UTILS.register_module()
class BoxPrompter(Prompter):
    """The annotated box."""

    def prompt(self, instances: InstanceData, chosen: np.ndarray) -> Prompts:
        """See :class:`Prompter`."""
        boxes = get_box_tensor(instances.bboxes)
        index = torch.as_tensor(chosen, device=boxes.device)
        return Prompts.from_boxes(boxes[index], instance_index=index)


@TASK_UTILS.register_module()
class JitteredBoxPrompter(BoxPrompter):
    """The annotated box, drawn carelessly.

    Each coordinate moves by normal noise, as in SAM's training ("Segment Anything", appendix A).

    Args:
        jitter: Standard deviation of the noise, as a share of the box's side.
        max_shift: Largest move in pixels.
        max_instances: See :class:`Prompter`.

    Raises:
        ValueError: One of them is out of its range.
    """

    def __init__(
        self, jitter: float = 0.1, max_shift: float = 20.0, max_instances: int | None = None
    ) -> None:
        super().__init__(max_instances)
        if jitter < 0 or max_shift < 0:
            raise ValueError(f'jitter and max_shift must be >= 0; got {jitter} and {max_shift}')
        self.jitter, self.max_shift = jitter, max_shift

    def prompt(self, instances: InstanceData, chosen: np.ndarray) -> Prompts:
        """See :class:`Prompter`."""
        prompts = super().prompt(instances, chosen)
        corners = prompts.coords
        sides = (corners[:, 1] - corners[:, 0])[:, None].clamp(min=0)
        noise = torch.from_numpy(np.random.normal(0, self.jitter, tuple(corners.shape)))
        # Under half a side, the two corners never change places.
        limits = (sides * 0.45).clamp(max=self.max_shift)
        shifts = (noise.to(corners) * sides).clamp(-limits, limits)
        return replace(prompts, coords=corners + shifts)


class MaskPointPrompter(Prompter):
    """One positive point chosen in the instance's mask; instances with empty masks have no row."""

    def prompt(self, instances: InstanceData, chosen: np.ndarray) -> Prompts:
        """See :class:`Prompter`."""
        points, kept = [], []
        for instance in chosen:
            mask = instances.masks[int(instance)].to_ndarray()[0].astype(np.uint8, copy=False)
            x, y, width, height = cv2.boundingRect(mask)
            if width:
                column, row = self.choose_point(mask[y : y + height, x : x + width])
                points.append((x + column, y + row))
                kept.append(instance)
        device = instances.labels.device
        return Prompts.from_points(
            torch.tensor(points, dtype=torch.float32, device=device).reshape(-1, 1, 2),
            instance_index=torch.tensor(kept, dtype=torch.long, device=device),
        )

    @abstractmethod
    def choose_point(self, mask: np.ndarray) -> tuple[int, int]:
        """Column and row of the point in a mask (h, w) uint8, cut to its bounds, so never empty."""


@TASK_UTILS.register_module()
class CenterPointPrompter(MaskPointPrompter):
    """The mask's pixel that is farthest from the mask's border, where the image's edge is border.

    This is the centre point of the paper's evaluation (section 4, rows marked ``*``). Of several
    such pixels it is the first in reading order.
    """

    def choose_point(self, mask: np.ndarray) -> tuple[int, int]:
        """See :class:`MaskPointPrompter`."""
        # Outside its bounds the mask is empty, so they stand for the image's edge.
        _, row, column = deepest_pixel(mask)
        return column, row


@TASK_UTILS.register_module()
class RandomPointPrompter(MaskPointPrompter):
    """A pixel inside the mask, each with the same probability."""

    def choose_point(self, mask: np.ndarray) -> tuple[int, int]:
        """See :class:`MaskPointPrompter`."""
        # Listing the pixels of a large mask costs milliseconds; most masks fill enough of their
        # bounds for one of a few blind draws to hit, and a hit has the same distribution.
        blind = np.random.randint(mask.shape, size=(8, 2))
        hits = blind[mask[blind[:, 0], blind[:, 1]] > 0]
        if len(hits):
            row, column = hits[0]
        else:
            inside = np.flatnonzero(mask)
            row, column = divmod(inside[np.random.randint(len(inside))], mask.shape[1])
        return int(column), int(row)


@TASK_UTILS.register_module()
class MixedPrompter(Prompter):
    """A prompter drawn for each instance.

    Args:
        prompters: Prompters or their configs; their own ``max_instances`` plays no part.
        probabilities: How often each is drawn, summing to 1; equal if None.
        max_instances: See :class:`Prompter`.

    Raises:
        ValueError: There is no prompter, or ``probabilities`` are not one each that sum to 1.
    """

    def __init__(
        self,
        prompters: Sequence[dict | Prompter],
        probabilities: Sequence[float] | None = None,
        max_instances: int | None = None,
    ) -> None:
        super().__init__(max_instances)
        if not prompters:
            raise ValueError('MixedPrompter needs at least one prompter; got none')
        if probabilities is None:
            probabilities = [1 / len(prompters)] * len(prompters)
        shares = np.asarray(probabilities, dtype=float)
        if len(shares) != len(prompters) or (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
            raise ValueError(
                f'probabilities must be {len(prompters)} numbers >= 0 that sum to 1; '
                f'got {listed(probabilities)}'
            )
        self.prompters = [p if callable(p) else TASK_UTILS.build(p) for p in prompters]
        self.probabilities = shares

    def prompt(self, instances: InstanceData, chosen: np.ndarray) -> Prompts:
        """See :class:`Prompter`."""
        drawn = np.random.choice(len(self.prompters), size=len(chosen), p=self.probabilities)
        rows = Prompts.cat(
            [p.prompt(instances, chosen[drawn == i]) for i, p in enumerate(self.prompters)]
        )
        return rows[rows.instance_index.argsort()]
