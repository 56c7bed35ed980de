"""Follow objects through a film: masks, names and tracks from a box or click in its first frame.

    ovsam follow film.mp4 --box 40,30,200,180
    ovsam follow frames --box 40,30,200,180 --point 120,80 --vocabulary cat,dog --out tracks
    ovsam follow frames --point "120,80;150,95;20,30,0" --model ovsam-rn50x16-coco --drawn film

FILM is a video file, or a folder whose pictures are the frames, in natural order. Each --point or
--box is one object, in pixels of the first frame; --point is that of ovsam predict. OUT/coco.json
has all masks as RLE, with a track_id for each object; OUT/cvat.xml has them as polygons, to import
into CVAT as "CVAT for video 1.1". Where an object is lost it has no mask. Its name is that of all
frames in which it was seen. What is done when something ends it early is written all the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..apis import Followed, OVSAMPredictor, Prediction
from ..apis.flags import add_model_flags, add_prompt_flags
from ..apis.init_model import say_notice
from ..apis.tracking import follow_prompts
from ..apis.tracking.exports import frame_record, write_coco_tracks, write_cvat_tracks
from ..apis.tracking.frames import PictureFolder, VideoFile, film_writer, open_film
from ..apis.user_prompts import parse_prompt
from ..utils.command_line import exit_status, output_folder, parser_of
from ..utils.file_names import printable
from ..utils.files import write_whole
from ..utils.images import jpeg
from ..visualization import draw_segments

RATE = 10.0  # frames in a second of what is drawn of a folder
SHORT = 0.05  # of its frames that a film may lack: WebM and others say about how many there are


def draw(
    args: argparse.Namespace,
    film: PictureFolder | VideoFile,
    write: Callable[[np.ndarray], None] | None,
    followed: Followed,
) -> None:
    """Draw a frame, each object in one colour all the time, into a film or as a picture."""
    found = followed.found
    picture = draw_segments(followed.image, found.masks, found.labels, found.label_scores)
    if write is not None:
        write(picture)
    else:
        write_whole(args.out / 'drawn' / f'{film.stem(followed.number)}.jpg', jpeg(picture))


def run(args: argparse.Namespace) -> int:
    """Follow, draw on the way, and write; returns how many frames a film lacks."""
    prompts = [parse_prompt(flag, text) for flag, text in args.pointed]
    if not prompts:
        raise ValueError('there is nothing to follow: give at least one --box or --point')
    drawn = args.out / ('drawn.mp4' if args.drawn == 'film' else 'drawn')
    if args.drawn != 'none' and args.film.resolve() == drawn.resolve():
        raise ValueError(f'what is drawn would overwrite {args.film}: choose another --out')
    film = open_film(args.film)
    predictor = OVSAMPredictor(args.model, args.weights, args.vocabulary, args.device)
    records: list[dict] = []
    stopped: BaseException | None = None
    drawing = film_writer(drawn, film.rate or RATE) if args.drawn == 'film' else nullcontext()
    with drawing as write:
        frames = follow_prompts(predictor, film, prompts)
        try:
            for followed in tqdm(frames, 'follow', total=len(film) or None, unit='frame'):
                if args.drawn != 'none':
                    draw(args, film, write, followed)
                records.append(frame_record(followed, film.name(followed.number)))
        except BaseException as error:  # a broken frame, Ctrl+C
            if not records:
                raise
            stopped = error
    name_tracks(records, followed.found)
    write_coco_tracks(
        args.out / 'coco.json', records, predictor.label_names, args.film.name, film.rate
    )
    write_cvat_tracks(args.out / 'cvat.xml', records)
    report(records, len(prompts), followed.found.labels)
    print(f'Wrote {printable(str(args.out))}/coco.json and cvat.xml')
    say_notice(predictor.model)
    if stopped is not None:
        raise stopped
    missing = len(film) - len(records)
    if missing <= SHORT * len(film):
        return 0
    print(
        f'follow: {printable(str(args.film))} says it has {len(film)} frames, only {len(records)} '
        'could be decoded: it may be truncated',
        file=sys.stderr,
    )
    return missing


def name_tracks(records: list[dict], last: Prediction) -> None:
    """Give each object one name in all frames, with its score: that of the last, which saw all."""
    names = [
        {key: row[key] for key in ('category_name', 'score', 'alternatives') if key in row}
        for row in last.to_coco()
    ]
    for record in records:
        for annotation in record['annotations']:
            annotation.update(names[annotation['track_id'] - 1])


def report(records: list[dict], count: int, labels: list[str] | None) -> None:
    """A line for each object."""
    seen = [annotation['track_id'] for record in records for annotation in record['annotations']]
    for track in range(1, count + 1):
        name = 'object' if labels is None else labels[track - 1]
        print(f'{track}: {name}, seen in {seen.count(track)} of {len(records)} frames')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__, 'ovsam follow')
    parser.add_argument('film', type=Path, metavar='FILM', help='a video or a folder of pictures')
    add_prompt_flags(parser)
    add_model_flags(parser, "; the model's if not given")
    parser.add_argument(
        '--drawn',
        choices=['frames', 'film', 'none'],
        default='frames',
        help='draw the masks as pictures in OUT/drawn, as OUT/drawn.mp4, or not (%(default)s)',
    )
    parser.add_argument(
        '--out',
        type=output_folder,
        default=Path('work_dirs/follow'),
        help='folder to write to (%(default)s)',
    )
    return exit_status('follow', run, parser.parse_args(argv))
