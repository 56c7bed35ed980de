"""What a model costs, on random weights: nothing has to be downloaded, but for onnx and follow.

    ovsam benchmark complexity configs/ovsam/ovsam_RN50x16_coco_box.py --prompts 10
    ovsam benchmark memory configs/ovsam/ovsam_RN50x16_coco_box.py
    ovsam benchmark latency configs/mini/ovsam_box.py configs/mini/image_crop_box.py
    ovsam benchmark gpu ovsam/ovsam_RN50x16_coco_point.py
    ovsam benchmark interactive configs/ovsam/ovsam_RN50x16_coco_point.py
    ovsam benchmark interactive ovsam/ovsam_RN50x16_coco_point.py --against segment-anything
    ovsam benchmark pool ovsam/ovsam_RN50x16_coco_box.py
    ovsam benchmark vocabulary configs/ovsam/ovsam_RN50x16_coco_point.py
    ovsam benchmark training configs/clip2sam/clip2sam_RN50_joint.py --size 512
    ovsam benchmark onnx mini work_dirs/mini-onnx work_dirs/mini-int8 --images 100
    ovsam benchmark scale --gpus 16
    ovsam benchmark follow mini-interactive

complexity: GFLOPs (a multiply-add counts as one) and parameters, by part. memory: peak resident
memory and seconds for one image on the CPU, in a process of its own. latency: milliseconds for an
image and for a prompt; of several configs, the ratio to the first. A prompt is a box. gpu: the same
on a GPU, in float32 and bfloat16.
interactive: on the CPU, in a process of its own, ratios of a further click to the first, of many
names to few, of everything mode to its points one by one; and the memory of many prompts; or,
--against another package, ratios of clicks and of everything mode. pool: milliseconds of CLIP's
attention pool beside open_clip's own.
vocabulary: what more names cost in each way of keeping them; --insert: into a page.
training: seconds of a step of joint training and of its class loss, with few and with many names.
onnx: what exports of a config cost and give on its test data, beside the model in torch and in
other precisions; needs its weights and data.
scale: what the paper's trainings and 100 million images take, on paper; see docs/scale.md.
follow: with the weights of configs, how well objects are followed through films whose masks are
known, in percent: J, the mean IoU where an object is seen; found, how often it is found there;
lost, how often it is said to be lost where it is not seen; switched, how often the mask is on
another object; named, how often the name is right.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..apis.init_model import PRECISIONS
from ..benchmarks.complexity import complexity
from ..benchmarks.following import SEEDS, follow_films
from ..benchmarks.interaction import interactive
from ..benchmarks.memory import memory
from ..benchmarks.onnx_cost import onnx
from ..benchmarks.pool_cost import pool
from ..benchmarks.scale import Machine, scale
from ..benchmarks.timing import gpu, latency
from ..benchmarks.training_step import training
from ..benchmarks.vocabulary_cost import vocabulary
from ..utils.command_line import exit_status, parser_of

# What several subcommands know.
FLAGS: dict[str, dict] = {
    'size': dict(type=int, help="side of the square input in pixels (the config's)"),
    'prompts': dict(type=int, help='prompts on the image (%(default)s)'),
    'repeat': dict(type=int, help='measurements, after one that does not count (%(default)s)'),
    'precision': dict(
        nargs='+', choices=list(PRECISIONS), help='of torch; several are compared (%(default)s)'
    ),
    'device': dict(help='cpu, cuda, cuda:1 ...; cuda if there is'),
    'aspect': dict(
        type=float,
        help="the image's height per width, at most 1: the rest is padding (%(default)s)",
    ),
    'names': dict(
        type=int, nargs=2, metavar=('FEW', 'MANY'), help='of the vocabularies (%(default)s)'
    ),
    'insert': dict(
        type=Path, metavar='FILE', help='put the table into its section of this Markdown file, too'
    ),
}
# Their defaults in those that take configs.
FLAGS_OF: dict[Callable, dict[str, Any]] = {
    complexity: dict(size=None, prompts=1),
    memory: dict(size=None, prompts=20, precision=['fp32']),
    latency: dict(size=None, prompts=1, repeat=5, precision=['fp32'], device=None, aspect=1.0),
    gpu: dict(
        size=None, prompts=1, repeat=5, precision=['fp32', 'bf16'], device='cuda', aspect=1.0
    ),
    interactive: dict(size=None, prompts=1024, repeat=5, names=[80, 20_000]),
    pool: dict(prompts=1, repeat=5),  # its grid does not depend on the size
    training: dict(size=None, prompts=20, repeat=5, device=None, names=[80, 26_000]),
    vocabulary: dict(size=None, repeat=5, insert=None),
}


def add_vocabulary_flags(command: argparse.ArgumentParser) -> None:
    """What only :func:`vocabulary` knows."""
    command.add_argument(
        '--names',
        type=int,
        nargs='+',
        default=[80, 1203, 13_204, 26_000],
        help='of the vocabularies (%(default)s)',
    )
    command.add_argument(
        '--texts',
        type=float,
        default=1.8,
        help='of a name on average (%(default)s, as in imagenet21k)',
    )
    command.add_argument('--objects', type=int, default=100, help='of an image (%(default)s)')


def add_scale_command(commands: argparse._SubParsersAction) -> None:
    """Give the parser the subcommand ``scale``."""
    command = commands.add_parser('scale', help=scale.__doc__, description=scale.__doc__)
    command.set_defaults(run=scale)
    for name, config in (
        ('sam2clip', 'sam2clip/sam2clip_RN50x16.py'),
        ('clip2sam', 'clip2sam/clip2sam_RN50x16_coco.py'),
        ('ovsam', 'ovsam/ovsam_RN50x16_coco_box.py'),
    ):
        command.add_argument(
            f'--{name}', default=config, metavar='CONFIG', help='what is counted (%(default)s)'
        )
    machine = Machine()
    for flag, kind, default, words in (
        ('--gpus', int, machine.gpus, 'one process each'),
        ('--peak', float, machine.peak / 1e12, 'TFLOPS of a GPU; an A100 with bfloat16'),
        ('--utilisation', float, machine.utilisation, 'share of them that is reached'),
        ('--images', int, 100_000_000, 'how many are many'),
    ):
        command.add_argument(flag, type=kind, default=default, help=f'{words} (%(default)s)')
    command.add_argument('--size', type=int, help="side of the square input (the configs')")
    command.add_argument('--insert', **FLAGS['insert'])


def add_follow_command(commands: argparse._SubParsersAction) -> None:
    """Give the parser the subcommand ``follow``."""
    about = follow_films.__doc__
    command = commands.add_parser('follow', help=about, description=about)
    command.set_defaults(run=follow_films)
    command.add_argument('configs', nargs='+', metavar='MODEL', help='a config, or name of a model')
    for flag, default, words in (
        ('--films', 6, 'how many'),
        ('--frames', 20, 'of each'),
        ('--objects', 3, 'in each, at most'),
    ):
        command.add_argument(flag, type=int, default=default, help=f'{words} (%(default)s)')
    command.add_argument(
        '--split', choices=list(SEEDS), default='test', help='settings were chosen on val'
    )
    command.add_argument(
        '--set',
        nargs='+',
        default=[],
        metavar='NAME=VALUE',
        help='settings of ovsam.apis.FollowSettings to try',
    )
    command.add_argument(
        '--photographs',
        action='store_true',
        help="windows that move over pictures of the configs' data, in place of pictograms",
    )
    command.add_argument('--alone', action='store_true', help='leave the simpler ways out')
    command.add_argument('--device', **FLAGS['device'])


def add_onnx_command(commands: argparse._SubParsersAction) -> None:
    """Give the parser the subcommand ``onnx``."""
    command = commands.add_parser('onnx', help=onnx.__doc__, description=onnx.__doc__)
    command.set_defaults(run=onnx)
    command.add_argument('config', help='that was exported, with its test data')
    command.add_argument(
        'folders', nargs='*', type=Path, metavar='DIR', help='what ovsam export wrote of it'
    )
    command.add_argument('--precision', default=['fp32'], **FLAGS['precision'])
    command.add_argument(
        '--images', type=int, default=50, help='how many, spread over the data (%(default)s)'
    )
    command.add_argument('--insert', **FLAGS['insert'])
    command.add_argument(
        '--section', default='onnx', help='of that file, by its marks (%(default)s)'
    )


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__, 'ovsam benchmark')
    commands = parser.add_subparsers(dest='command', required=True)
    added = {}
    for run, flags in FLAGS_OF.items():
        command = added[run] = commands.add_parser(
            run.__name__, help=run.__doc__, description=run.__doc__
        )
        command.set_defaults(run=run)
        command.add_argument(
            'configs',
            nargs='+',
            metavar='CONFIG',
            help='path of a config, from here or below configs/',
        )
        for flag, default in flags.items():
            command.add_argument(f'--{flag}', default=default, **FLAGS[flag])
    added[interactive].add_argument(
        '--points-per-side', type=int, default=32, help='of everything mode (%(default)s)'
    )
    added[interactive].add_argument(
        '--against',
        choices=['segment-anything'],
        help='compare clicks and everything mode with this package, and nothing else; needs the '
        'extra benchmark',
    )
    added[complexity].add_argument(
        '--again',
        type=float,
        default=1.0,
        metavar='SHARE',
        help='of prompts that have a second look, where a config has one (%(default)s)',
    )
    added[training].add_argument('--images', type=int, default=2, help='of a step (%(default)s)')
    added[training].add_argument(
        '--sampled',
        type=int,
        default=1000,
        help='names at a time, in a third measurement (%(default)s)',
    )
    add_vocabulary_flags(added[vocabulary])
    add_onnx_command(commands)
    add_scale_command(commands)
    add_follow_command(commands)
    args = parser.parse_args(argv)
    args.shown = shlex.join(['ovsam', 'benchmark', *(argv or sys.argv[1:])])
    return args


def run(args: argparse.Namespace) -> None:
    """Measure, if all numbers make sense."""
    for name, value in vars(args).items():
        for number in value if isinstance(value, list) else [value]:
            if name != 'again' and type(number) in (int, float) and not number > 0:
                raise ValueError(f'--{name.replace("_", "-")} must be positive; got {number}')
    shares = ((name, 0, 1) for name in ('again', 'aspect', 'utilisation'))
    for name, least, most in (*shares, ('texts', 1, float('inf'))):
        if not least <= getattr(args, name, 1) <= most:
            raise ValueError(f'--{name} must be in [{least}, {most}]; got {getattr(args, name)}')
    args.run(args)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = parse_args(argv)
    return exit_status(f'benchmark {args.command}', run, args)
