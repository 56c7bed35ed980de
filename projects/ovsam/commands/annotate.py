"""Segment and name all there is in any number of pictures, by any number of processes.

    ovsam annotate photos --vocabulary lvis --out labels
    ovsam annotate list.txt --vocabulary imagenet21k --out labels
    ovsam annotate photos --out labels --detector detector.py --detector-weights d.pth
    torchrun --nproc_per_node 8 -m ovsam_cli annotate photos --out labels --launcher pytorch
    srun -n 16 ovsam annotate photos --out labels --launcher slurm

IMAGES is a folder with its folders, or a text file with the path of a picture on each line. The
pictures are cut into shares; processes on any machines that share OUT, started together or not,
each take one after the other, and take over those of processes that died. Run the same command
again to go on with what was interrupted. OUT/coco.json has all labels in the end,
OUT/left_out.jsonl the pictures that could not be done, which give status 1. See
docs/bulk-labelling.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..apis import EverythingPrompts, OVSAMPredictor, notice_of
from ..apis.detector_flags import add_detector_flags, check_detector_flags, detector_of
from ..apis.init_model import load_config
from ..bulk import Annotator, Claims, ImageSource, Job, Plan, Summary, Worker, begin, run_job
from ..utils.command_line import ended_by_sigterm, exit_status
from ..utils.process_place import LAUNCHERS, process_place


def show(summary: Summary, job: Job) -> None:
    """What came of it."""
    print(f'{job.folder}/coco.json: {summary.annotations:,} masks in {summary.images:,} images')
    if job.repeats:
        print(f'{job.repeats:,} lines of the list named an image again and do not count')
    if summary.left_out:
        print(
            f'{summary.left_out:,} images were left out, {summary.set_aside:,} of them because '
            f'processes ended at them: {job.folder}/left_out.jsonl says why'
        )


def run(args: argparse.Namespace) -> int:
    """Do this process's part of the job; returns how many images were left out."""
    check_detector_flags(args)
    place = process_place(args.launcher)
    device = args.device or place.device()
    source = ImageSource(args.images)
    claims = Claims(args.out / 'claims', Worker.this_process(place.rank), args.patience)
    cfg = load_config(args.model)
    prompts = detector_of(args, device) or EverythingPrompts()
    predictor = OVSAMPredictor(cfg, args.weights, args.vocabulary, device)
    annotator = Annotator(predictor, prompts, args.threshold, args.top_k)
    plan = Plan(source, annotator.settings(cfg), predictor.vocabulary, args.share_size, place.world)
    job = begin(args.out, plan, claims, compare=place.rank == 0 and not args.keep_list)
    summary = run_job(job, claims, annotator, source, place[:2], args.max_tries)
    if place.rank == 0:
        show(summary, job)
        notice = notice_of(predictor.model)
        if notice:
            print(notice, file=sys.stderr)
    return summary.left_out


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog='ovsam annotate',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'images',
        type=Path,
        metavar='IMAGES',
        help="a folder, or a text file with a path a line, which counts from the file's folder",
    )
    parser.add_argument(
        '--out', type=Path, required=True, help='folder of the job; all processes must see it'
    )
    parser.add_argument(
        '--vocabulary',
        help='names with commas between, a pack such as lvis, or a '
        ".txt or .json file; the model's if not given",
    )
    parser.add_argument(
        '--model',
        default='mini',
        help='name of a published model such as '
        'ovsam-rn50x16-coco, downloaded the first time, or a config (%(default)s)',
    )
    parser.add_argument(
        '--weights', metavar='FILE', help="its checkpoint; the config's load_from if not given"
    )
    add_detector_flags(parser)
    parser.add_argument(
        '--threshold',
        type=float,
        default=0.0,
        help='least score of a name for its mask to be kept (%(default)s: all)',
    )
    parser.add_argument('--top-k', type=int, default=1, help='names of each mask (%(default)s)')
    parser.add_argument(
        '--launcher',
        choices=['none', *LAUNCHERS],
        default='none',
        help='how several processes were started (%(default)s)',
    )
    parser.add_argument(
        '--share-size',
        type=int,
        metavar='N',
        help='images that a process takes at a time; 100, or less if they are few, if not given',
    )
    parser.add_argument(
        '--patience',
        type=float,
        default=300.0,
        metavar='SECONDS',
        help='a process that has not finished an image for so long counts as '
        'dead (%(default)g); of the same machine at once when it is gone',
    )
    parser.add_argument(
        '--max-tries',
        type=int,
        default=3,
        metavar='N',
        help='an image at which so many processes died is left out (%(default)s)',
    )
    parser.add_argument(
        '--keep-list',
        action='store_true',
        help='go on with the images that the job began with, whatever IMAGES has now',
    )
    parser.add_argument(
        '--device',
        help='cpu, cuda, cuda:1 ...; cuda if there is, of which '
        'processes of a launcher take one each',
    )
    return parser


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = make_parser().parse_args(argv)
    left_out: list[int] = []
    with ended_by_sigterm():
        status = exit_status('annotate', lambda: left_out.append(run(args)))
    return status or int(any(left_out))
