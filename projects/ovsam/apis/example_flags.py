"""Examples of names as people write them on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .predictor import OVSAMPredictor
from .user_prompts import parse_prompt


def teach_examples(predictor: OVSAMPredictor, examples: Sequence[str]) -> None:
    """Teach a predictor what ``NAME=IMAGE@x,y`` and ``NAME=IMAGE@x1,y1,x2,y2`` show.

    Pictures are encoded once each; the predictor has none of them afterwards.

    Raises:
        FileNotFoundError: There is no such picture.
        ValueError: An example is not of this form, its prompt is outside the picture, or the model
            cannot be taught.
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
            kind = 'box' if place.count(',') == 3 else 'point'
            predictor.learn(name, predictor.segment_prompts(parse_prompt(kind, place)))
    if found:
        predictor.reset()
