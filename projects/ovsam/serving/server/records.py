"""What is asked and answered in the JSON API; pixels of the picture, x before y."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, FiniteFloat

from ovsam_onnx.prediction import Prediction

from ...masks.polygons import mask_polygons
from ...utils.run_lengths import run_lengths_of
from ..object_prompts import ObjectPrompt

MOST_TAUGHT = 4_000_000  # bytes of names by example, which come from strangers

Share = Annotated[float, Field(ge=0, le=1)]
Vocabulary = Annotated[
    str | list[str],
    Field(description='a pack such as `coco`, names with commas between them, or a list of names'),
]


class Asked(BaseModel):
    """What all questions have."""

    model_config = ConfigDict(extra='forbid')
    vocabulary: Vocabulary | None = None
    session: str | None = Field(None, description='one of `POST /api/sessions`')
    top_k: int = Field(5, ge=1, le=100, description='names for each object')
    masks: Literal['polygons', 'rle'] = Field('polygons', description="`rle` is COCO's")


class Prompt(BaseModel):
    """Points, a box, or both, that mean one object; pixels of the picture, x before y."""

    model_config = ConfigDict(extra='forbid')
    points: list[tuple[FiniteFloat, FiniteFloat]] = Field([], max_length=100)
    point_labels: list[Literal[0, 1]] | None = Field(
        None, description='1 on the object, 0 not on it, for each point; ones if not given'
    )
    box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = Field(
        None, description='x1, y1, x2, y2'
    )
    continues: str | None = Field(
        None,
        description='`continues` of an earlier answer about this picture, whose mask the model '
        'starts from; without it if it is forgotten by now',
    )


class RunLengths(BaseModel):
    """A mask as COCO has it."""

    size: tuple[int, int] = Field(description='height, width')
    counts: str = Field(description='compressed')


class Drawn(Asked):
    """A question about masks that somebody drew."""

    drawn: list[RunLengths] = Field(min_length=1, max_length=1000)


class Shown(BaseModel):
    """An example of a name."""

    model_config = ConfigDict(extra='forbid')
    image: str
    name: str = Field(min_length=1, max_length=200)
    mask: RunLengths


class Clicked(Asked):
    """A question about what was pointed at."""

    prompts: list[Prompt] = Field(min_length=1, max_length=50)


class AskedForAll(Asked):
    """A question about all that there is."""

    threshold: Share = Field(0.0, description='least score of a name')


class AskedFor(Asked):
    """A question about what is called so."""

    texts: list[str] = Field(min_length=1, max_length=100)
    threshold: Share = Field(0.3, description='least score of a text')


class SentPicture(BaseModel):
    """A picture that the server has."""

    image: str = Field(description='what to ask with: SHA-256 of the file')
    width: int
    height: int


class FoundObject(BaseModel):
    """A mask with its names; pixels of the picture."""

    prompt: int | None = Field(description='which of the prompts it answers')
    name: str
    score: float
    alternatives: list[tuple[str, float]] = Field(description='the likeliest names, best first')
    box: tuple[float, float, float, float] = Field(description='x1, y1, x2, y2')
    certain: bool = Field(description="whether the score reaches the model's `none_threshold`")
    quality: float | None = Field(description='IoU that the model expects of the mask, if it does')
    stability: float | None = Field(description='how sharp the border is; 1 where it is')
    polygons: list[list[tuple[float, float]]] | None = Field(
        description='one for each connected part'
    )
    rle: RunLengths | None
    continues: str | None = Field(
        None, description='send it with further points, if the model goes on from its own masks'
    )


class FoundObjects(BaseModel):
    """An answer."""

    objects: list[FoundObject]


class NewSession(BaseModel):
    """A vocabulary to name with from now on."""

    model_config = ConfigDict(extra='forbid')
    vocabulary: Vocabulary | None = Field(None, description="the server's if not given")
    taught: Base64Bytes | None = Field(None, description='of `Taught`')


class Session(BaseModel):
    """Where the server remembers a vocabulary; the longest unused ones are forgotten."""

    session: str
    names: list[str] = Field(description='all names, with those that were taught')


class Taught(BaseModel):
    """Names that a session knows by example."""

    taught: str = Field(description='all of it, for `POST /api/sessions` another day')
    examples: dict[str, int] = Field(description='how many of each name')


class ServerInfo(BaseModel):
    """What is served."""

    version: str
    names: int = Field(description='of the vocabulary that counts where none is given')
    megabytes: float = Field(description='the largest file of a picture')
    megapixels: float = Field(description='the largest picture')
    teachable: bool = Field(description='whether names can be taught by example')
    any_names: bool = Field(
        description='whether a vocabulary may be of any words; if not, of names that the server has'
    )
    notice: str | None = Field(description='what to know of the weights')


def object_prompt(prompt: Prompt, mask: np.ndarray | None = None) -> ObjectPrompt:
    """What the annotator takes.

    Raises:
        ValueError: There is nothing in it that means an object, or not a label for each point.
    """
    labels = [1] * len(prompt.points) if prompt.point_labels is None else prompt.point_labels
    if len(labels) != len(prompt.points):
        raise ValueError(f'{len(labels)} point_labels for {len(prompt.points)} points')
    if prompt.box is None and 1 not in labels:
        raise ValueError('a prompt needs a point on the object (label 1) or a box')
    return ObjectPrompt(tuple(prompt.points), tuple(labels), prompt.box, mask)


def found_objects(
    found: Prediction, asked: Asked, least: float, prompt: int | None = None
) -> Iterator[FoundObject]:
    """What was found, with names, in the API's words.

    A name is certain from the score ``least`` on; ``prompt`` is the number of the prompt that all
    rows answer, if it is known.
    """
    labels, scores = found.labels, found.label_scores
    top_names, top_scores = found.top_names, found.top_scores
    # No model without names is served.
    assert labels is not None and scores is not None
    assert top_names is not None and top_scores is not None
    for row, mask in enumerate(found.masks):
        with_polygons = asked.masks == 'polygons'
        yield FoundObject(
            prompt=prompt,
            name=labels[row],
            score=float(scores[row]),
            alternatives=list(zip(top_names[row], top_scores[row].tolist())),
            box=tuple(found.boxes[row].tolist()),
            certain=bool(scores[row] >= least),
            quality=_value(found.quality, row),
            stability=_value(found.stability, row),
            polygons=[each.tolist() for each in mask_polygons(mask)] if with_polygons else None,
            rle=None if with_polygons else RunLengths(**run_lengths_of(mask)),
        )


def _value(column: np.ndarray | None, row: int) -> float | None:
    return None if column is None else float(column[row])
