"""What a model costs, on random weights: nothing has to be downloaded.

    ovsam benchmark complexity configs/ovsam/ovsam_RN50x16_coco_box.py --prompts 10
    ovsam benchmark memory configs/ovsam/ovsam_RN50x16_coco_box.py
    ovsam benchmark latency configs/mini/ovsam_box.py configs/mini/image_crop_box.py
    ovsam benchmark interactive configs/ovsam/ovsam_RN50x16_coco_point.py
    ovsam benchmark vocabulary configs/ovsam/ovsam_RN50x16_coco_point.py
    ovsam benchmark training configs/clip2sam/clip2sam_RN50_joint.py --size 512
    ovsam benchmark scale --gpus 16

complexity: GFLOPs (a multiply-add counts as one) and parameters, by part. memory: peak resident
memory and seconds for one image on the CPU, in a process of its own. latency: milliseconds for an
image and for a prompt; of several configs, the ratio to the first. A prompt is a box.
interactive: on the CPU, in a process of its own, ratios of a further click to the first, of many
names to few, of everything mode to its points one by one; and the memory of many prompts.
vocabulary: likewise, what more names cost in each way of keeping them; --insert: into a page.
training: seconds of a step of joint training and of its class loss, with few and with many names.
scale: what the paper's trainings and 100 million images take, on paper; see docs/scale.md.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from ..apis.init_model import choose_device, load_config
from ..benchmarks.complexity import count_complexity, total_complexity
from ..benchmarks.interaction import measure_interaction
from ..benchmarks.memory import measure_memory
from ..benchmarks.scale import Machine, scale_table
from ..benchmarks.timing import measure_latency
from ..benchmarks.training_step import measure_training_step
from ..benchmarks.vocabulary_cost import measure_vocabularies
from ..utils.command_line import exit_status, parser_of
from ..utils.marked_section import insert_section
from ..utils.tables import table


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """The first column is text, the others numbers."""
    print(table(head, rows))


def complexity(args: argparse.Namespace) -> None:
    """Operations and parameters, by part."""
    summary = []
    for config in args.configs:
        rows = count_complexity(load_config(config), args.size)
        total = total_complexity(rows)
        print(f'{config}, {args.prompts} prompts')
        print_table(
            ['part', 'parameters (M)', 'GFLOPs an image', 'GFLOPs a prompt', 'together'],
            [
                [
                    row.part + ('' if row.counts else ' (not counted)'),
                    f'{row.parameters / 1e6:.2f}',
                    f'{row.image / 1e9:.2f}',
                    f'{row.prompt / 1e9:.3f}',
                    f'{row.total(args.prompts) / 1e9:.2f}',
                ]
                for row in [*rows, total]
            ],
        )
        summary.append((config, total.total(args.prompts), total.parameters))
        print()
    if len(summary) > 1:
        print_ratios(['config', 'GFLOPs', 'parameters (M)'], summary, (1e9, 1e6))


def memory(args: argparse.Namespace) -> None:
    """Peak resident memory and seconds."""
    for config in args.configs:
        use = measure_memory(load_config(config), args.prompts, args.size)
        print(
            f'{config}: {use.peak / 1e9:.2f} GB at most ({use.built / 1e9:.2f} GB once built, '
            f'{use.imported / 1e9:.2f} GB of it imports); {use.latency.image:.1f} s to encode '
            f'the image, {use.latency.prompts:.1f} s for {args.prompts} prompts, '
            f'{torch.get_num_threads()} threads'
        )


def latency(args: argparse.Namespace) -> None:
    """Milliseconds for an image and for a prompt."""
    device, summary = choose_device(args.device), []
    for config in args.configs:
        found = measure_latency(load_config(config), args.prompts, args.repeat, args.size, device)
        summary.append((config, found.image, found.prompts / args.prompts))
    print_ratios(['config', 'ms an image', 'ms a prompt'], summary, (1e-3, 1e-3))
    print(
        f'median of {args.repeat}, {args.prompts} prompts at once, {device}, '
        f'{torch.get_num_threads()} threads'
    )


def interactive(args: argparse.Namespace) -> None:
    """Ratios of interactive use, and its memory."""
    side, points = args.points_per_side, args.points_per_side**2
    few, many = args.names
    for config in args.configs:
        cost = measure_interaction(
            load_config(config), args.prompts, (few, many), side, args.repeat, args.size
        )
        print(f'{config}, {torch.get_num_threads()} threads')
        print_table(
            ['', 'seconds', 'beside', 'seconds', 'ratio'],
            [
                [title, f'{value:.3f}', other, f'{reference:.3f}', f'{value / reference:.4f}']
                for title, value, other, reference in (
                    ('a further click', cost.click, 'encoding and first click', cost.first),
                    (f'a click with {many} names', cost.many, f'with {few}', cost.few),
                    (
                        f'everything mode, {side} x {side} points',
                        cost.everything,
                        f'{points} points one by one',
                        cost.alone,
                    ),
                )
            ],
        )
        print(
            f'{args.prompts} prompts at once: {(cost.peak - cost.built) / 1e9:.2f} GB above the '
            f'model ({cost.built / 1e9:.2f} GB)'
        )
        print(
            f'Clicks: median of {args.repeat}. One by one: mean of {4 * args.repeat} points, '
            f'times {points}. Everything mode: unfiltered, {cost.masks} masks after '
            'suppression, named'
        )


def vocabulary(args: argparse.Namespace) -> None:
    """Time and memory of many names, by how they are kept."""
    section = []
    for config in args.configs:
        rows = measure_vocabularies(
            load_config(config), args.names, args.texts, args.objects, args.repeat, args.size
        )
        # A click's other work is the same in all rows, but varies more than naming takes.
        others = statistics.median(row.click - row.naming for row in rows)
        first = others + rows[0].naming
        head = ['names', 'kept as', 'MB', 'ms a click', 'ms of it naming', 'ratio']
        head += [f'ms to name {args.objects} objects']
        cells = [
            [
                f'{row.names:,}',
                row.kept,
                f'{row.stored / 1e6:.1f}',
                f'{1e3 * row.click:.1f}',
                f'{1e3 * row.naming:.2f}',
                f'{(others + row.naming) / first:.3f}',
                f'{1e3 * row.image:.1f}',
            ]
            for row in rows
        ]
        note = (
            f'{config}: median of {args.repeat}, {args.texts} texts a name, cpu, '
            f'{torch.get_num_threads()} threads; ratio of clicks that take '
            f'{1e3 * others:.1f} ms without naming, the median of all rows'
        )
        print_table(head, cells)
        print(note)
        section.append(f'\n{table(head, cells, "pipe")}\n\n{note}.\n')
    if args.insert:
        insert_section(args.insert, ''.join(section), 'vocabulary cost')


def training(args: argparse.Namespace) -> None:
    """Seconds of a training step, and the class loss's share of it."""
    device = choose_device(args.device)
    for config in args.configs:
        costs = measure_training_step(
            load_config(config),
            args.names,
            args.sampled,
            args.images,
            args.prompts,
            args.repeat,
            args.size,
            device,
        )
        print(
            f'{config}, {args.images} images of {args.size or "full"} size, {args.prompts} '
            f'objects each'
        )
        print_table(
            ['vocabulary', 'a step (s)', 'ratio', 'class loss (s)', 'share of the step'],
            [
                [
                    cost.title,
                    f'{cost.step:.2f}',
                    f'{cost.step / costs[0].step:.3f}',
                    f'{cost.class_loss:.4f}',
                    f'{cost.class_loss / cost.step:.2%}',
                ]
                for cost in costs
            ],
        )
        print(f'median of {args.repeat}, {device}, {torch.get_num_threads()} threads')


def print_ratios(head: list[str], rows: list[tuple], units: tuple[float, ...]) -> None:
    """A line for each config, with ratios to the first."""
    print_table(
        [head[0], *(cell for name in head[1:] for cell in (name, 'ratio'))],
        [
            [
                Path(name).stem,
                *(
                    cell
                    for value, first, unit in zip(row, rows[0][1:], units)
                    for cell in (f'{value / unit:.2f}', f'{value / first:.3f}')
                ),
            ]
            for name, *row in rows
        ],
    )


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
    command.add_argument(
        '--insert',
        type=Path,
        metavar='FILE',
        help='put the table into the section "vocabulary cost" of this Markdown file',
    )


def scale(args: argparse.Namespace) -> None:
    """GPU-hours, memory, network and storage of the paper's recipe and of many images."""
    if not 0 < args.utilisation <= 1:
        raise ValueError(f'--utilisation must be in (0, 1]; got {args.utilisation}')
    if min(args.gpus, args.images, args.peak) <= 0:
        raise ValueError('--gpus, --images and --peak must be positive')
    machine = Machine(args.gpus, args.peak * 1e12, args.utilisation)
    configs = [load_config(args.sam2clip), load_config(args.clip2sam), load_config(args.ovsam)]
    section = (
        f'`{args.shown}` prints this: {args.gpus} GPUs of {args.peak:g} TFLOPS, of which '
        f'{args.utilisation:.0%} are reached.\n\n'
        f'{scale_table(configs, machine, args.images, args.size)}\n'
    )
    print(section, end='')
    if args.insert:
        insert_section(args.insert, section, 'scale')


def _add_command(
    commands: argparse._SubParsersAction, run: Callable[..., None]
) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
    command.set_defaults(run=run)
    return command


def add_scale_command(commands: argparse._SubParsersAction) -> None:
    """Give the parser the subcommand ``scale``."""
    command = _add_command(commands, scale)
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
    command.add_argument(
        '--insert', type=Path, metavar='FILE', help='put the table into this Markdown file, too'
    )


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__, 'ovsam benchmark')
    commands = parser.add_subparsers(dest='command', required=True)
    all_runs = (complexity, memory, latency, interactive, training, vocabulary)
    added = {run: _add_command(commands, run) for run in all_runs}

    def add(runs: Iterable[Callable], flag: str, words: str, **how: Any) -> None:
        for run in runs:
            added[run].add_argument(flag, help=words, **how)

    add(
        all_runs,
        'configs',
        'path of a config, from here or below configs/',
        nargs='+',
        metavar='CONFIG',
    )
    add(all_runs, '--size', "side of the square input in pixels (the config's)", type=int)
    prompts = {complexity: 1, memory: 20, latency: 1, interactive: 1024, training: 20}
    for run, count in prompts.items():
        add([run], '--prompts', 'prompts on the image (%(default)s)', type=int, default=count)
    again = 'measurements, after one that does not count (%(default)s)'
    add(all_runs[2:], '--repeat', again, type=int, default=5)
    add((latency, training), '--device', 'cpu, cuda, cuda:1 ...; cuda if there is')
    pair: dict[str, Any] = dict(type=int, nargs=2, metavar=('FEW', 'MANY'))
    for run, many in ((interactive, 20_000), (training, 26_000)):
        add([run], '--names', 'of the vocabularies (%(default)s)', default=[80, many], **pair)
    side = 'of everything mode (%(default)s)'
    add([interactive], '--points-per-side', side, type=int, default=32)
    add([training], '--images', 'of a step (%(default)s)', type=int, default=2)
    part = 'names at a time, in a third measurement (%(default)s)'
    add([training], '--sampled', part, type=int, default=1000)
    add_vocabulary_flags(added[vocabulary])
    add_scale_command(commands)
    args = parser.parse_args(argv)
    args.shown = shlex.join(['ovsam', 'benchmark', *(argv or sys.argv[1:])])
    if args.command == 'interactive' and min(*args.names, args.points_per_side) < 1:
        parser.error('--names and --points-per-side must be positive')
    if getattr(args, 'prompts', 1) < 1 or (args.size is not None and args.size < 1):
        parser.error('--prompts and --size must be positive')
    return args


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = parse_args(argv)
    return exit_status(f'benchmark {args.command}', args.run, args)
