"""One record for every prompt of a batch of images.

Glossary: B images, N prompts, P points per prompt, T tokens per prompt.

A prompt is a short list of tokens, as in SAM's prompt encoder (Kirillov et al., "Segment
Anything", section 3): each token is a coordinate and a label that says what the coordinate means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from ovsam_onnx.prompts import Prompts as Given

from .tokens import (
    BOX_BOTTOM_RIGHT,
    BOX_TOP_LEFT,
    box_tokens,
    check_column,
    check_tokens,
    padded,
    point_tokens,
)


@dataclass(frozen=True, eq=False, init=False)
class Prompts:
    """N prompts, each for one instance of one image; checked when made.

    Rows carry their identity, so any module may drop, reorder or concatenate them.
    Coordinates are (x, y) pixels in one frame that the owner knows: original pixels in the public
    interface, input pixels inside the model; :meth:`scale` goes from one to the other.

    Args:
        coords: (N, T, 2) float.
        labels: (N, T) long: -1 padding, 0 negative point, 1 positive point, 2 top-left and
            3 bottom-right corner of a box. A row has no box or one.
        image_index: (N,) long, the image in the batch; zeros if not given.
        instance_index: (N,) long, the instance of that image which the row stands for; the row's
            rank among the rows of its image if not given.
        masks: (N, 1, h, w) low-resolution mask logits, a further prompt; for all rows or for none.
        guessed: (N,) bool, whether the row's box was found by a detector or by following, and may
            be off by more than people draw; false if not given.

    Attributes:
        has_box: (N,) bool, whether the row holds a box.
        boxes_or_zeros: (N, 4) xyxy; zeros of rows that have no box.

    Raises:
        ValueError: If shapes disagree, a coordinate is not finite, a label or index is not one of
            those above.
    """

    coords: Tensor
    labels: Tensor
    image_index: Tensor
    instance_index: Tensor
    masks: Tensor | None
    guessed: Tensor
    has_box: Tensor = field(init=False)
    boxes_or_zeros: Tensor = field(init=False)

    def __init__(
        self,
        coords: Tensor,
        labels: Tensor,
        image_index: Tensor | None = None,
        instance_index: Tensor | None = None,
        masks: Tensor | None = None,
        guessed: Tensor | None = None,
    ) -> None:
        check_tokens(coords, labels)
        num = len(coords)
        if image_index is None:
            image_index = torch.zeros(num, dtype=torch.long, device=coords.device)
        check_column('image_index', image_index, num)
        if instance_index is None:
            same = image_index[:, None] == image_index[None]
            instance_index = same.long().tril(-1).sum(dim=1)
        check_column('instance_index', instance_index, num)
        if masks is not None and (masks.dim() != 4 or masks.shape[:2] != (num, 1)):
            raise ValueError(
                f'masks must be ({num}, 1, h, w), one low-resolution map of logits per prompt; '
                f'got {tuple(masks.shape)}'
            )
        if guessed is None:
            guessed = torch.zeros_like(image_index).bool()
        check_column('guessed', guessed, num, torch.bool)
        vars(self).update(
            coords=coords,
            labels=labels,
            image_index=image_index,
            instance_index=instance_index,
            masks=masks,
            guessed=guessed,
            has_box=(labels == BOX_TOP_LEFT).any(dim=1),
            boxes_or_zeros=_boxes(coords, labels),
        )

    @classmethod
    def of(cls, given: Given, device: torch.device | str = 'cpu') -> Prompts:
        """Prompts of one image that :func:`ovsam_onnx.prompts.make_prompts` has checked."""
        coords, labels = (torch.from_numpy(each).to(device) for each in given[:2])
        masks, guessed = (
            None if each is None else torch.from_numpy(each).to(device) for each in given[2:]
        )
        rows, boxed = torch.arange(len(labels), device=device), (labels == BOX_TOP_LEFT).any(dim=1)
        made = object.__new__(cls)
        vars(made).update(
            coords=coords,
            labels=labels,
            image_index=torch.zeros_like(rows),
            instance_index=rows,
            masks=masks,
            guessed=torch.zeros_like(boxed) if guessed is None else guessed,
            has_box=boxed,
            boxes_or_zeros=_boxes(coords, labels),
        )
        return made

    def given(self) -> Given:
        """Prompts of one image, without torch, which can be checked to lie in it.

        Raises:
            ValueError: They are of several images.
        """
        self._check_images(1)
        masks = None if self.masks is None else self.masks.cpu().numpy()
        coords, labels, guessed = (
            each.cpu().numpy() for each in (self.coords, self.labels, self.guessed)
        )
        return Given(coords, labels, masks, guessed)

    def _map(self, change: Callable[[Tensor], Tensor], **changed: Tensor | None) -> Prompts:
        """Every field changed, or as given; what was checked is not checked again."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        made = object.__new__(Prompts)
        vars(made).update({k: v if v is None else change(v) for k, v in values.items()} | changed)
        if 'coords' in changed:
            vars(made).update(boxes_or_zeros=_boxes(made.coords, made.labels))
        return made

    @classmethod
    def from_points(cls, points, labels=None, **identity) -> Prompts:
        """Prompts of P points each, followed by the padding token with which SAM was trained.

        Args:
            points: (N, P, 2) tensor, array or nested list.
            labels: (N, P), 1 for positive, 0 for negative points, -1 for padding; ones if not
                given.
            **identity: ``image_index``, ``instance_index``, ``masks`` as in :class:`Prompts`.

        Raises:
            ValueError: As of :class:`Prompts`, or a label is of a box's corner.
        """
        coords, labels = point_tokens(points, labels)
        return cls(*padded(coords, labels, coords.shape[1] + 1), **identity)

    @classmethod
    def from_boxes(cls, boxes, **identity) -> Prompts:
        """Prompts of one box each.

        Args:
            boxes: (N, 4) tensor, array or nested list, xyxy.
            **identity: As of :meth:`from_points`, as the errors are.
        """
        return cls(*box_tokens(boxes), **identity)

    @classmethod
    def empty(cls) -> Prompts:
        """No prompts at all (N = 0)."""
        return cls.from_boxes([])

    @classmethod
    def cat(cls, prompts: Sequence[Prompts]) -> Prompts:
        """All rows in order; shorter rows are padded.

        A padding token is embedded and attended to like any other token, so a box in a longer
        record is not exactly the same prompt as the box alone. One-point rows and box rows have
        equal length and do not touch each other.

        Raises:
            ValueError: If some of the non-empty records have mask prompts and others have none.
        """
        rows = [p for p in prompts if len(p)]
        if not rows:
            return prompts[0] if len(prompts) else cls.empty()
        length = max(p.coords.shape[1] for p in rows)
        if len({p.masks is None for p in rows}) > 1:
            raise ValueError(
                'some prompts have mask prompts and others have none; run them as separate batches'
            )
        coords, labels = zip(*(padded(p.coords, p.labels, length) for p in rows))
        return cls(
            torch.cat(coords),
            torch.cat(labels),
            torch.cat([p.image_index for p in rows]),
            torch.cat([p.instance_index for p in rows]),
            None if rows[0].masks is None else torch.cat([p.masks for p in rows]),
            torch.cat([p.guessed for p in rows]),
        )

    def __len__(self) -> int:
        return len(self.coords)

    def __getitem__(self, index: int | slice | Tensor | Sequence[int]) -> Prompts:
        """Rows by number, slice, index tensor or boolean mask; identity is kept."""
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise IndexError(f'prompt {index} of {len(self)}')
            index = [index]
        return self._map(lambda values: values[index])

    def split(self, size: int) -> list[Prompts]:
        """Chunks of at most ``size`` rows; of no rows one chunk, as ``Tensor.split`` has it."""
        return [self[start : start + size] for start in range(0, len(self) or 1, size)]

    @property
    def device(self) -> torch.device:
        """Where the prompts are."""
        return self.coords.device

    @property
    def boxes(self) -> Tensor:
        """(N, 4) xyxy.

        Raises:
            ValueError: If a row has no box; ``prompts[prompts.has_box].boxes`` leaves those out.
        """
        if not self.has_box.all():
            raise ValueError('some prompts have no box; select with prompts[prompts.has_box]')
        return self.boxes_or_zeros

    def to(self, device: torch.device | str) -> Prompts:
        """The same prompts on another device."""
        return self._map(lambda values: values.to(device))

    def scale(self, factors: Tensor) -> Prompts:
        """Into another frame, e.g. from original to input pixels.

        Args:
            factors: (B, 2), by what to multiply x and y in each image.

        Raises:
            ValueError: They are of another shape, or of fewer images than there are prompts of.
        """
        factors = torch.as_tensor(factors, dtype=self.coords.dtype, device=self.device)
        if factors.dim() != 2 or factors.shape[1] != 2:
            raise ValueError(f'factors must be (B, 2) for x and y; got {tuple(factors.shape)}')
        self._check_images(len(factors))
        return self.changed(coords=self.coords * factors[self.image_index, None])

    def as_guessed(self) -> Prompts:
        """The same prompts, whose boxes are said to be guesses."""
        return self.changed(guessed=torch.ones_like(self.guessed))

    def changed(self, **columns: Tensor | None) -> Prompts:
        """The same prompts with other columns, unchecked: a GPU would be waited for."""
        return self._map(lambda values: values, **columns)

    def with_points(self, points: Tensor, labels: Tensor) -> Prompts:
        """The same prompts, each with one more of points (N, 2), with labels (N,) of 1 or 0."""
        return replace(
            self,
            coords=torch.cat([points[:, None].to(self.coords), self.coords], 1),
            labels=torch.cat([labels[:, None].to(self.labels), self.labels], 1),
        )

    def _check_images(self, num_images: int) -> None:
        if len(self) and int(self.image_index.max()) >= num_images:
            raise ValueError(
                f'prompts refer to image {int(self.image_index.max())}, '
                f'but the batch has {num_images} images'
            )


def _boxes(coords: Tensor, labels: Tensor) -> Tensor:
    corners = (labels == kind for kind in (BOX_TOP_LEFT, BOX_BOTTOM_RIGHT))
    return torch.cat([(coords * each[..., None]).sum(dim=1) for each in corners], dim=1)
