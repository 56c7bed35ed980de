"""What users write as prompts and as examples of names, checked and made into records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from ovsam_onnx.prompts import make_prompts as read_prompts

from ..prompts import Prompts

if TYPE_CHECKING:
    from .predictor import OVSAMPredictor


def make_prompts(
    point_coords: ArrayLike | None = None,
    point_labels: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
    mask_input: ArrayLike | None = None,
) -> Prompts:
    """As :func:`ovsam_onnx.prompts.make_prompts`, in torch."""
    return Prompts.of(read_prompts(point_coords, point_labels, boxes, mask_input))


def parse_prompt(kind: str, text: str, where: str | None = None) -> Prompts:
    """One prompt, 'point' or 'box', from a text as it is written after the flag of that name.

    Messages say ``where`` it was written, after that flag if not given.

    Raises:
        ValueError: The text is not of the form, or is not a prompt.
    """
    try:
        rows = [
            [float(number) for number in part.split(',')] for part in text.replace(';', ' ').split()
        ]
    except ValueError:
        rows = []
    if kind == 'box' and len(rows) == 1 and len(rows[0]) == 4:
        return make_prompts(boxes=rows[0])
    if kind == 'point' and rows and all(len(row) in (2, 3) for row in rows):
        return make_prompts([row[:2] for row in rows], [[*row, 1][2] for row in rows])
    form = 'x1,y1,x2,y2' if kind == 'box' else 'x,y or x,y,label, several with ; between them'
    raise ValueError(f'{where or f"--{kind}"} must be {form}; got {text!r}')


def teach_examples(predictor: OVSAMPredictor, examples: Sequence[str]) -> None:
    """Teach a predictor what ``NAME=IMAGE@x,y`` and ``NAME=IMAGE@x1,y1,x2,y2`` show.

    Pictures are encoded once each; the predictor has none of them afterwards.

    Raises:
        FileNotFoundError: There is no such picture.
        ValueError: An example is not of this form, its file is not a picture, its prompt is outside
            the picture or at nothing there, or the model cannot be taught.
    """
    found: dict[Path, list[tuple[str, str]]] = {}
    for text in examples:
        name, _, rest = text.partition('=')
        image, _, place = rest.rpartition('@')
        if not (name.strip() and image and place):
            raise ValueError(
                f'--example must be NAME=IMAGE@x,y or NAME=IMAGE@x1,y1,x2,y2; got {text!r}'
            )
        found.setdefault(Path(image), []).append((name, place))
    for picture, shown in found.items():
        predictor.set_image(picture)
        for name, place in shown:
            # Several points may have as many commas as a box.
            is_box = place.count(',') == 3 and len(place.replace(';', ' ').split()) == 1
            prompt = parse_prompt('box' if is_box else 'point', place, 'what --example has after @')
            predictor.learn(name, predictor.segment_prompts(prompt))
    if found:
        predictor.reset()
