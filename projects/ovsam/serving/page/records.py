"""What the page and the server tell each other; pixels of the picture, x before y."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pycocotools import mask as mask_utils
from pydantic import BaseModel, Field, FiniteFloat, PositiveInt

from ..server.records import RunLengths, SentPicture

MOST_OBJECTS = 10_000  # of a picture
# Keys of ours that say how an object was made, beside those that any export may have.
MAKING = ('points', 'prompt_box', 'fixed')

Name = Annotated[str, Field(min_length=1, max_length=500)]
Place = tuple[FiniteFloat, FiniteFloat, Literal[0, 1]]
FileName = Annotated[str, Field(min_length=1, max_length=4000)]


class KeptObject(BaseModel):
    """An annotation as COCO has it, with what the page must know to go on from it."""

    segmentation: RunLengths
    category_name: Name
    score: FiniteFloat = Field(1.0, description='1 of a name that a person gave')
    alternatives: list[tuple[Name, FiniteFloat]] = Field([], max_length=100)
    predicted_iou: FiniteFloat | None = None
    stability_score: FiniteFloat | None = None
    points: list[Place] = Field([], max_length=1000, description='that it answers, 0 not on it')
    prompt_box: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None
    fixed: bool = Field(
        default=True, description='whether another vocabulary leaves the name as it is'
    )
    row: str | None = Field(
        None, max_length=1000, description="JSON of the id in the folder's file; JS rounds numbers"
    )

    def annotation(self) -> dict[str, Any]:
        """As a COCO file has it; the mask must be sound."""
        runs = self.segmentation.model_dump()
        return {
            **self.model_dump(exclude_none=True, exclude={'row'}),
            'area': int(mask_utils.area(runs)),
            'bbox': mask_utils.toBbox(runs).tolist(),
        }


class KeptPicture(BaseModel):
    """What is known of a picture."""

    size: tuple[PositiveInt, PositiveInt] = Field(description='height, width')
    objects: list[KeptObject] = Field([], max_length=MOST_OBJECTS)
    done: bool = Field(default=False, description='whether a person said so')

    @property
    def version(self) -> str:
        """The same as long as nobody changes anything."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class ListedPicture(BaseModel):
    """A picture that the operator offers."""

    name: FileName
    objects: int
    done: bool


class ListedPictures(BaseModel):
    """All pictures that the operator offers."""

    pictures: list[ListedPicture]
    kept: bool = Field(description='whether the server keeps what is annotated in them')


class Kept(BaseModel):
    """That something was kept."""

    version: str = Field(description='the same as long as nobody changes what is known')


class OpenedPicture(SentPicture, Kept):
    """A picture that the operator offers, with what is known of it."""

    objects: list[KeptObject]
    done: bool


class Imported(BaseModel):
    """What came of a COCO file."""

    objects: list[KeptObject]
    left_out: list[str] = Field(description='a sentence for each object that cannot be used')
    image: str = Field(description='what the file calls the picture')


class ToImport(BaseModel):
    """A COCO file, and the picture that is open."""

    file_name: FileName
    size: tuple[int, int] = Field(description='height, width')
    content: Any


class ToExport(BaseModel):
    """Objects of a picture that the server has."""

    image: str
    file_name: FileName
    kind: str
    objects: list[KeptObject] = Field(max_length=MOST_OBJECTS)
