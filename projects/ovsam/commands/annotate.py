"""Segment and name everything in any number of pictures, on one machine or many.

    ovsam annotate photos --vocabulary lvis --out labels
    ovsam annotate list.txt --vocabulary imagenet21k --out labels
    ovsam annotate photos --out labels --detector detector.py --detector-weights d.pth
    ovsam annotate photos --out labels --ray                    # all GPUs or cores here
    ovsam annotate photos --out labels --ray HOST:PORT          # a Ray cluster
    sbatch -N 8 tools/slurm_ray.sh photos --out labels          # the same on Slurm

IMAGES is a folder with its folders, or a text file with the path of a picture on each line. Run the
same command again to go on with what was interrupted. In the end OUT/coco.json has all labels,
and OUT/left_out.jsonl the pictures that could not be done; if there are any, the status is 1. See
docs/annotating.md.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import filelock

from ..apis.flags import add_detector_flags, add_model_flags, check_detector_flags
from ..apis.init_model import say_notice
from ..bulk import Annotator, Job, Summary, begin, run_job
from ..bulk.on_ray import on_ray
from ..bulk.run import in_this_process
from ..utils.command_line import ended_by_sigterm, exit_status, output_folder, parser_of


def show(summary: Summary, folder: Path) -> None:
    """What came of it."""
    print(f'{folder}/coco.json: {summary.annotations:,} masks in {summary.images:,} images')
    if summary.left_out:
        print(
            f'{summary.left_out:,} images were left out, {summary.set_aside:,} of them because '
            f'processes ended at them: {folder}/left_out.jsonl says why'
        )


def make_annotate(args: argparse.Namespace, job: Job) -> Annotator:
    """What an actor of Ray labels with, compared with what the job began with."""
    annotator, settings = Annotator.of_flags(args)
    job.require_settings(settings)
    return annotator


def run(args: argparse.Namespace) -> int:
    """Do what is left of the job; returns how many images were left out."""
    check_detector_flags(args)
    engine = None
    if args.ray:
        make = functools.partial(make_annotate, argparse.Namespace(**vars(args)))
        engine = on_ray(make, args.ray, args.workers, args.device)
        args.device = 'cpu'  # of this process, which looks at the settings only
    elif args.workers:
        raise ValueError('--workers are of Ray: give --ray, too')
    annotator, settings = Annotator.of_flags(args)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(args.out / '.lock', timeout=0):
            vocabulary = annotator.predictor.vocabulary
            job = begin(args.out, args.images, settings, vocabulary, args.keep_list)
            summary = run_job(job, engine or in_this_process(annotator))
    except filelock.Timeout as error:
        raise ValueError(
            f'another process works in {args.out}: wait for it, or give another --out'
        ) from error
    show(summary, args.out)
    say_notice(annotator.predictor.model)
    return summary.left_out


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = parser_of(__doc__, 'ovsam annotate')
    parser.add_argument(
        'images',
        type=Path,
        metavar='IMAGES',
        help="a folder, or a text file with a path a line, which counts from the file's folder",
    )
    parser.add_argument('--out', type=output_folder, required=True, help='folder of the job')
    add_model_flags(parser, "; the model's if not given")
    add_detector_flags(parser)
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.0,
        help='least score of a name for its mask to be kept (%(default)s: all)',
    )
    parser.add_argument('--top-k', type=int, default=1, help='names of each mask (%(default)s)')
    parser.add_argument(
        '--ray',
        nargs='?',
        const='local',
        metavar='ADDRESS',
        help='label on the Ray cluster at HOST:PORT, or auto; one is started on this machine if '
        'no address is given. All machines must see IMAGES and OUT',
    )
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='models that work at the same time on Ray; one for each GPU, or CPU, if not given',
    )
    parser.add_argument(
        '--keep-list',
        action='store_true',
        help='go on with the images that the job began with, whatever IMAGES has now',
    )
    return parser


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    with ended_by_sigterm():
        return exit_status('annotate', run, make_parser().parse_args(argv))
