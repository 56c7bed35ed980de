"""Write the small world to disk: an ordinary COCO data set of pictogram scenes and crops.

    data/pictograms/{train,val,test}/000000.jpg ...   scenes
    data/pictograms/{train_crops,val_crops}/...       one pictogram an image
    data/pictograms/image_level/{name}/0000.jpg ...   the same in folders of names, as ImageNet's
    data/pictograms/annotations/{train,val,test,train_crops,val_crops,image_level}.json

The same seed writes the same files. A finished split is left as it is; an interrupted one is
written again (its annotation file comes last).
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as mask_utils
from tqdm import tqdm

from ovsam.datasets.pictograms.glyphs import pictogram_names, pictogram_table
from ovsam.datasets.pictograms.renderer import Scene, render_crop, render_scene
from ovsam.datasets.pictograms.vocabulary import pictogram_group
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import write_json
from ovsam.utils.images import jpeg
from ovsam.utils.run_lengths import run_lengths_of

# name: (images by default, offset to the seed, crops?)
SPLITS = dict(
    train=(6000, 0, False),
    val=(400, 1, False),
    test=(800, 2, False),
    train_crops=(8180, 3, True),
    val_crops=(1636, 4, True),
    image_level=(6096, 5, True),
)
SCENE_SIZE, CROP_SIZE, NAMED_SIZE = 256, 64, 128
WORLD_VERSION = 4  # counts the changes of what is drawn; a folder of another version is redone


def draw(index: int, seed: int, crops: bool) -> Scene:
    """Image ``index`` of the split with this seed.

    Every other scene holds COCO's classes only: the split's classes are a seventh of the names
    and would be too rare to train on or to measure.
    """
    names = pictogram_names()
    rng = np.random.default_rng([seed, index])
    if crops:
        return render_crop(rng, index % len(names), CROP_SIZE)
    split = pictogram_table()['split']
    split_labels = [names.index(name) for name in split['base'] + split['novel']]
    pool = split_labels if index % 2 == 0 else np.arange(len(names))
    return render_scene(rng, rng.choice(pool, rng.integers(3, 9)), SCENE_SIZE)


def write_named(index: int, seed: int, folder: Path) -> tuple:
    """Draw a pictogram of the names that no scene's annotation tells, into its name's folder.

    Returns its image record and no annotations: there is nothing but the name.
    """
    cv2.setNumThreads(1)
    names = pictogram_group('image_level')
    turn, place = divmod(index, len(names))
    crop = render_crop(
        np.random.default_rng([seed, index]), pictogram_names().index(names[place]), NAMED_SIZE
    )
    path = folder / names[place] / f'{turn:04d}.jpg'
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(jpeg(crop.image))
    return dict(
        id=index, file_name=f'{names[place]}/{path.name}', height=NAMED_SIZE, width=NAMED_SIZE
    ), []


def write_image(index: int, seed: int, crops: bool, folder: Path) -> tuple:
    """Draw and write one image; returns its COCO image record and annotations (without ids)."""
    cv2.setNumThreads(1)
    scene = draw(index, seed, crops)
    path = folder / f'{index:06d}.jpg'
    path.write_bytes(jpeg(scene.image))
    height, width = scene.image.shape[:2]
    annotations = []
    for label, mask in zip(scene.labels, scene.masks):
        runs = run_lengths_of(mask)
        annotations.append(
            dict(
                image_id=index,
                category_id=int(label) + 1,
                iscrowd=0,
                bbox=mask_utils.toBbox(runs).tolist(),
                area=float(mask.sum()),
                segmentation=runs,
            )
        )
    return dict(id=index, file_name=path.name, height=height, width=width), annotations


def write_split(out: Path, name: str, count: int, seed: int, workers: int) -> None:
    """Write one split unless its annotation file already holds it."""
    _, offset, crops = SPLITS[name]
    info = dict(
        description='pictograms', split=name, seed=seed, images=count, version=WORLD_VERSION
    )
    target = out / 'annotations' / f'{name}.json'
    if target.exists() and json.loads(target.read_text())['info'] == info:
        print(f'{target}: already written ({count} images)')
        return
    target.unlink(missing_ok=True)  # of other images than those that are written now
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    kind = write_named if name == 'image_level' else partial(write_image, crops=crops)
    write = partial(kind, seed=10 * seed + offset, folder=folder)
    with ExitStack() as stack:
        drawn = map(write, range(count))
        if workers != 1:
            # Forked workers would inherit OpenCV's threads in whatever state they are.
            pool = stack.enter_context(
                ProcessPoolExecutor(workers, mp_context=get_context('spawn'))
            )
            drawn = pool.map(write, range(count), chunksize=32)
        results = list(tqdm(drawn, name, count))
    annotations = [annotation for _, group in results for annotation in group]
    for i, annotation in enumerate(annotations):
        annotation['id'] = i + 1
    categories = [dict(id=i + 1, name=name) for i, name in enumerate(pictogram_names())]
    content = dict(
        info=info,
        images=[image for image, _ in results],
        annotations=annotations,
        categories=categories,
    )
    write_json(target, content)


def write_world(args: argparse.Namespace) -> None:
    """Write the splits that are asked for."""
    for name in args.splits:
        count = min(SPLITS[name][0], args.limit or SPLITS[name][0])
        write_split(args.out, name, count, args.seed, args.workers)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('--out', type=Path, default=Path('data/pictograms'), help='(%(default)s)')
    parser.add_argument('--splits', nargs='+', choices=SPLITS, default=list(SPLITS))
    parser.add_argument('--seed', type=int, default=0, help='names the world (%(default)s)')
    parser.add_argument('--limit', type=int, help='at most this many images a split')
    parser.add_argument('--workers', type=int, default=os.cpu_count())
    args = parser.parse_args(argv)
    if args.limit is not None and args.limit < 1:
        parser.error('--limit must be positive')
    return exit_status('make_pictograms', write_world, args)


if __name__ == '__main__':
    sys.exit(main())
