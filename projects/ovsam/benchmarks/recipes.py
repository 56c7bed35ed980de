"""The paper's trainings, and work on many more images, as recipes for :mod:`.scale`.

Numbers of images, prompts and bytes are those that the data sets' own pages give; a comment says
where from. The paper has no schedule for 22K names: passes are assumptions there.
"""

from __future__ import annotations

from dataclasses import dataclass

from .scale import Job, Recipe, Source
from .unit_costs import StageCost, UnitCosts

# SA-1B: 11,185,362 images (its TFDS catalogue page); eleven archives, masks in them, are 120 GB.
SA1B_IMAGES = 11_185_362
SA1B_IMAGE_BYTES = 975_000
COCO_IMAGE_BYTES = 152_000  # train2017.zip: 18 GB, 118,287 images
MOST_PROMPTS = 40  # section 4 of the paper

# COCO's base classes: 107,761 images with 665,387 objects (Zareian et al., CVPR 2021).
COCO = Source('COCO base', 107_761, 12, COCO_IMAGE_BYTES, prompts=665_387 / 107_761)
# LVIS v1: 100,170 images with 1,270,141 objects (its download page).
LVIS = Source('LVIS', 100_170, 12, COCO_IMAGE_BYTES, prompts=1_270_141 / 100_170)
# V3Det: 183,354 images, 13,204 names (its data card). The size of a file is assumed.
V3DET = Source('V3Det', 183_354, 12, 200_000)
# Objects365 v2: 1,742,292 images; 367 GB with the validation images (Ultralytics' data card).
OBJECTS365 = Source('Objects365', 1_742_292, 12, 201_000)
# ImageNet-21k, winter 2021: 13,153,500 images; 645.65 GB as WebP, 56% of JPEG (timm's data card).
IMAGENET21K = Source('ImageNet-21k', 13_153_500, 1, 88_000)
# Half of the steps for 22K names are LVIS's, as many as 12 passes have; each other has a sixth.
JOINT_IMAGES = LVIS.images * LVIS.passes // 3


@dataclass(frozen=True)
class Labelling:
    """How images are labelled in bulk.

    Args:
        points_per_side: Of everything mode's grid.
        masks: Kept and named, the mean of an image; SA-1B has 1.1 billion on 11 million images.
        annotation_bytes: Mean of a mask's record in COCO's form.
    """

    points_per_side: int = 32
    masks: int = 100
    annotation_bytes: float = 600.0


def paper_recipes(units: UnitCosts, batch: int, most_prompts: int = MOST_PROMPTS) -> list[Recipe]:
    """The paper's trainings (section 4), with teachers live and stored.

    Args:
        units: What was counted.
        batch: Images a GPU.
        most_prompts: On an image, in CLIP2SAM.
    """
    part = Source('SA-1B, 1%', SA1B_IMAGES // 100, 24, SA1B_IMAGE_BYTES)

    def clip2sam(name: str, *sources: Source) -> Recipe:
        return Recipe(name, units.clip2sam, sources, batch, most_prompts)

    named = (V3DET, OBJECTS365, IMAGENET21K)
    sampled = [source._replace(passes=JOINT_IMAGES / source.images) for source in named]
    return [
        *_distillations(units, part, batch),
        clip2sam('CLIP2SAM, COCO', COCO),
        clip2sam('CLIP2SAM, LVIS', LVIS),
        clip2sam('CLIP2SAM, 22K names, half of the steps LVIS', LVIS, *sampled),
        clip2sam('CLIP2SAM, 22K names, all images', LVIS, *named),
    ]


def paper_jobs(units: UnitCosts) -> list[Job]:
    """What the paper's trainings need before they start."""
    return [_storing(units, 'storing SAM features, SA-1B 1%', SA1B_IMAGES // 100)]


def large_recipes(units: UnitCosts, images: int, batch: int) -> list[Recipe]:
    """One pass of SAM2CLIP over so many images like SA-1B's."""
    return _distillations(units, Source('images', images, 1, SA1B_IMAGE_BYTES), batch)


def large_jobs(units: UnitCosts, images: int, labelling: Labelling) -> list[Job]:
    """What is done once to so many images like SA-1B's."""
    named = labelling.masks * units.name
    written = labelling.masks * labelling.annotation_bytes

    def label(name: str, decoded: int) -> Job:
        return Job(
            name, images, SA1B_IMAGE_BYTES, units.encode + decoded * units.decode + named, written
        )

    return [
        _storing(units, 'storing SAM features', images),
        label('labelling, everything mode', labelling.points_per_side**2),
        label("labelling, a detector's boxes", labelling.masks),
    ]


def _distillations(units: UnitCosts, source: Source, batch: int) -> list[Recipe]:
    stages: dict[str, StageCost] = {
        'live teacher': units.live,
        'stored features': units.stored,
        'stored, activation checkpointing': units.checkpointed,
    }
    return [Recipe(f'SAM2CLIP, {name}', stage, (source,), batch) for name, stage in stages.items()]


def _storing(units: UnitCosts, name: str, images: int) -> Job:
    return Job(name, images, SA1B_IMAGE_BYTES, units.teacher, units.feature)
