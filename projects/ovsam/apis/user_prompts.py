"""What users write as prompts, checked and made into :class:`~ovsam.prompts.Prompts`."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ovsam_onnx.prompts import make_prompts as read_prompts

from ..prompts import Prompts


def make_prompts(
    point_coords: ArrayLike | None = None,
    point_labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    mask_input: ArrayLike | None = None,
) -> Prompts:
    """As :func:`ovsam_onnx.prompts.make_prompts`, in torch."""
    return Prompts.of(read_prompts(point_coords, point_labels, boxes, mask_input))


def parse_prompt(flag: str, text: str) -> Prompts:
    """One prompt from the text after its flag.

    Raises:
        ValueError: The text is not of the flag's form, or is not a prompt.
    """
    try:
        rows = [
            [float(number) for number in part.split(',')] for part in text.replace(';', ' ').split()
        ]
    except ValueError:
        rows = []
    if flag == 'box' and len(rows) == 1 and len(rows[0]) == 4:
        return make_prompts(boxes=rows[0])
    if flag == 'point' and rows and all(len(row) in (2, 3) for row in rows):
        return make_prompts([row[:2] for row in rows], [[*row, 1][2] for row in rows])
    form = 'x1,y1,x2,y2' if flag == 'box' else 'x,y or x,y,label, several with ; between them'
    raise ValueError(f'--{flag} must be {form}; got {text!r}')
