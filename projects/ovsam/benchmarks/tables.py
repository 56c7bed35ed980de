"""What ``ovsam benchmark`` prints: a function for each subcommand, of its arguments."""

from __future__ import annotations

import argparse
import statistics
from itertools import product
from pathlib import Path

import torch

from ..apis.init_model import choose_device, load_config
from ..utils.marked_section import insert_section
from ..utils.tables import table
from .beside_sam import measure_beside_sam
from .complexity import count_complexity, total_complexity
from .interaction import measure_interaction
from .memory import in_fresh_process, measure_memory
from .onnx_cost import measure_onnx
from .pool_cost import measure_pool
from .random_model import naming_config
from .scale import Machine, scale_table
from .timing import measure_latency
from .training_step import measure_training_step
from .vocabulary_cost import measure_vocabularies


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """The first column is text, the others numbers."""
    print(table(head, rows))


def complexity(args: argparse.Namespace) -> None:
    """Operations and parameters, by part."""
    summary = []
    for config in args.configs:
        rows = count_complexity(load_config(config), args.size, args.again)
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
        summary.append((Path(config).stem, total.total(args.prompts), total.parameters))
        print()
    if len(summary) > 1:
        print_ratios(['config', 'GFLOPs', 'parameters (M)'], summary, (1e9, 1e6))


def memory(args: argparse.Namespace) -> None:
    """Peak resident memory and seconds."""
    for config, precision in product(args.configs, args.precision):
        given = load_config(config), args.prompts, args.size, precision
        use = in_fresh_process(measure_memory, *given)
        print(
            f'{config}, {precision}: {use.peak / 1e9:.2f} GB at most '
            f'({use.built / 1e9:.2f} GB once built, {use.imported / 1e9:.2f} GB of it imports); '
            f'{use.latency.image:.1f} s to encode the image, '
            f'{use.latency.prompts:.1f} s for {args.prompts} prompts, '
            f'{torch.get_num_threads()} threads'
        )


def latency(args: argparse.Namespace) -> None:
    """Milliseconds for an image and for a prompt."""
    device, summary = choose_device(args.device), []
    for config, precision in product(args.configs, args.precision):
        cfg = load_config(config)
        found = measure_latency(
            cfg, args.prompts, args.repeat, args.size, device, args.aspect, precision
        )
        title = f'{Path(config).stem} {precision}'
        summary.append((title, found.image, found.prompts / args.prompts))
    print_ratios(['config', 'ms an image', 'ms a prompt'], summary, (1e-3, 1e-3))
    print(
        f'median of {args.repeat}, {args.prompts} prompts at once, {device}, '
        f'{torch.get_num_threads()} threads'
    )


def gpu(args: argparse.Namespace) -> None:
    """Milliseconds for an image and for a prompt on a GPU, in float32 and bfloat16."""
    latency(args)


def interactive(args: argparse.Namespace) -> None:
    """Ratios of interactive use, and its memory."""
    side, points = args.points_per_side, args.points_per_side**2
    few, many = args.names
    if args.against:
        beside_sam(args, few)
        return
    for config in args.configs:
        given = naming_config(config), args.prompts, (few, many), side, args.repeat, args.size
        cost = in_fresh_process(measure_interaction, *given)
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


def beside_sam(args: argparse.Namespace, names: int) -> None:
    """Clicks, and everything mode, beside those of segment-anything."""
    for config in args.configs:
        given = naming_config(config), names, args.repeat, args.size, args.points_per_side
        rows = measure_beside_sam(*given)
        print(f'{config} with {names} names, {args.against} without names')
        print_table(
            ['prompts', 'ms', 'ms of SAM', 'ratio'],
            [
                [row.asked, f'{1e3 * row.ours:.1f}', f'{1e3 * row.theirs:.1f}', f'{row.ratio:.3f}']
                for row in rows
            ],
        )
        print(
            f'random weights, a random embedding for SAM; in turn, medians of {args.repeat} calls '
            f'and of their ratios, cpu, {torch.get_num_threads()} threads'
        )


def pool(args: argparse.Namespace) -> None:
    """CLIP's attention pool beside open_clip's own."""
    costs = [measure_pool(load_config(name), args.prompts, args.repeat) for name in args.configs]
    print_table(
        ['config', 'ms', 'ms of open_clip', 'ratio'],
        [
            [name, f'{1e3 * cost.ours:.2f}', f'{1e3 * cost.theirs:.2f}', f'{cost.ratio:.4f}']
            for name, cost in zip(args.configs, costs)
        ],
    )
    print(
        f'median of {args.repeat}, {args.prompts} regions at once, cpu, '
        f'{torch.get_num_threads()} threads'
    )


def vocabulary(args: argparse.Namespace) -> None:
    """Time and memory of many names, by how they are kept."""
    section = []
    for config in args.configs:
        given = naming_config(config), args.names, args.texts, args.objects, args.repeat, args.size
        rows = in_fresh_process(measure_vocabularies, *given)
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


def onnx(args: argparse.Namespace) -> None:
    """Exports and precisions beside the model in torch, on the config's test data."""
    rows = measure_onnx(load_config(args.config), args.folders, args.images, args.precision)
    head = ['', 'precision', 'MB']
    beside = {'to torch': rows[0]}
    if args.folders:
        beside['to the first export'] = rows[len(args.precision)]
    for title in ('ms an image', 'ms a click'):
        head += [title, *beside]
    cells = []
    for row in rows:
        cells.append([row.title, row.precision, f'{row.size / 1e6:.1f}'])
        for name in ('encode', 'click'):
            times = getattr(row, name)
            ratios = [statistics.median(times / getattr(other, name)) for other in beside.values()]
            cells[-1] += [f'{1e3 * statistics.median(times):.1f}', *(f'{r:.2f}' for r in ratios)]
        cells[-1] += [f'{100 * row.iou.mean():.1f}', f'{100 * row.right.mean():.1f}']
    head += ['IoU', 'accuracy']
    note = (
        f'{args.config}: {args.images} images, {len(rows[0].iou)} objects by their boxes, cpu, '
        f'{torch.get_num_threads()} threads; in turn, medians of times and of their ratios; MB of '
        'graphs, in torch of weights without the text encoder'
    )
    print(table(head, cells, texts=2))
    print(note)
    if args.insert:
        section = f'\n{table(head, cells, "pipe", texts=2)}\n\n{note}.\n'
        insert_section(args.insert, section, args.section)


def print_ratios(head: list[str], rows: list[tuple], units: tuple[float, ...]) -> None:
    """A line for each title, with ratios to the first."""
    print_table(
        [head[0], *(cell for name in head[1:] for cell in (name, 'ratio'))],
        [
            [
                name,
                *(
                    cell
                    for value, first, unit in zip(row, rows[0][1:], units)
                    for cell in (f'{value / unit:.2f}', f'{value / first:.3f}')
                ),
            ]
            for name, *row in rows
        ],
    )


def scale(args: argparse.Namespace) -> None:
    """GPU-hours, memory, network and storage of the paper's recipe and of many images."""
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
