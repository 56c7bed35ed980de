"""The subcommand ``scale`` of ``ovsam benchmark``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..apis.init_model import load_config
from ..utils.files import write_whole
from ..utils.marked_section import insert_section
from .annotation_bytes import annotation_bytes
from .recipes import MOST_PROMPTS, Labelling, large_jobs, large_recipes, paper_jobs, paper_recipes
from .scale import Machine
from .scale_report import make_plan, scale_record, scale_section
from .unit_costs import count_units

_CONFIGS = {
    'sam2clip': 'sam2clip/sam2clip_RN50x16.py',
    'clip2sam': 'clip2sam/clip2sam_RN50x16_coco.py',
    'ovsam': 'ovsam/ovsam_RN50x16_coco_box.py',
}


def scale(args: argparse.Namespace) -> None:
    """Steps, GPU-hours, storage, network and memory of the paper's recipe and of many images."""
    labelling = Labelling(
        args.points_per_side,
        args.masks,
        args.annotation_bytes if args.annotations is None else annotation_bytes(args.annotations),
    )
    machines = [
        Machine(gpus, args.peak * 1e12, args.utilisation, args.network * 1e9)
        for gpus in (args.gpus, args.many_gpus)
    ]
    units = count_units(
        load_config(args.sam2clip), load_config(args.clip2sam), load_config(args.ovsam), args.size
    )
    plans = [
        make_plan(
            f"The paper's trainings, {args.gpus} GPUs",
            machines[0],
            paper_recipes(units, args.batch, args.prompts),
            paper_jobs(units),
        ),
        make_plan(
            f'{args.images:,} images, {args.many_gpus} GPUs',
            machines[1],
            large_recipes(units, args.images, args.batch),
            large_jobs(units, args.images, labelling),
        ),
    ]
    shown = (args.shown, units, labelling, plans)
    section = scale_section(*shown)
    print(section)
    if args.json:
        write_whole(args.json, (json.dumps(scale_record(*shown), indent=1) + '\n').encode())
    if args.insert:
        insert_section(args.insert, section, 'scale')


def _count(text: str) -> int:
    """A positive whole number."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'must be positive; got {number}')
    return number


def add_scale_command(commands: argparse._SubParsersAction) -> None:
    """Give the tool's parser this subcommand."""
    command = commands.add_parser('scale', help=scale.__doc__, description=scale.__doc__)
    command.set_defaults(run=scale)
    for name, config in _CONFIGS.items():
        command.add_argument(
            f'--{name}', default=config, metavar='CONFIG', help='what is counted (%(default)s)'
        )
    machine = Machine()
    for flag, kind, default, words in (
        ('--gpus', _count, machine.gpus, "for the paper's trainings"),
        ('--many-gpus', _count, 64, 'for many images'),
        ('--batch', _count, 2, 'images a GPU and step'),
        ('--prompts', _count, MOST_PROMPTS, 'on an image at most, for the memory of CLIP2SAM'),
        ('--peak', float, machine.peak / 1e12, 'TFLOPS of a GPU; an A100 with bfloat16'),
        ('--utilisation', float, machine.utilisation, 'share of them that is reached'),
        ('--network', float, machine.network / 1e9, 'GB/s between GPUs'),
        ('--images', _count, 100_000_000, 'how many are many'),
        ('--points-per-side', _count, Labelling.points_per_side, 'of everything mode'),
        ('--masks', _count, Labelling.masks, 'kept of an image'),
        ('--annotation-bytes', float, Labelling.annotation_bytes, 'of a mask in COCO JSON'),
    ):
        command.add_argument(flag, type=kind, default=default, help=f'{words} (%(default)s)')
    command.add_argument(
        '--annotations',
        type=Path,
        metavar='FILE',
        help='COCO or LVIS annotations to measure --annotation-bytes on',
    )
    command.add_argument('--size', type=int, help="side of the square input (the configs')")
    command.add_argument('--json', type=Path, metavar='FILE', help='write every figure, too')
    command.add_argument(
        '--insert',
        type=Path,
        metavar='FILE',
        help='put the tables between the marks of this Markdown file, too',
    )
