"""Evaluate several configs on the same data and write one table.

    python tools/compare.py configs/mini
    python tools/compare.py configs/mini/{ovsam,image_crop}_box.py --names OVSAM crop

Writes comparison.md, comparison.csv and a picture for each kind of prompts: scenes as rows, the
truth and each method's masks and names as columns. Masks and names are judged by the configs'
metrics; GFLOPs (a multiply-add counts as one) and parameters leave the text encoder out, which runs
once per vocabulary; milliseconds are of one prompt, pre- and post-processing included. What was
measured is kept in the folder, and measured again when a config, its weights or annotations change,
or the device or the number of threads that times are of.
"""

import argparse
import functools
import platform
import shlex
import sys
from pathlib import Path

import torch

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.apis import init_model
from ovsam.apis.init_model import choose_device
from ovsam.benchmarks.methods import collect_methods
from ovsam.benchmarks.record import make_record
from ovsam.benchmarks.report import by_prompts, csv_table, markdown_section
from ovsam.benchmarks.scenes import draw_scenes, scene_sheet
from ovsam.engine.runner_flags import add_config_options
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.files import write_whole
from ovsam.utils.images import jpeg
from ovsam.utils.marked_section import insert_section
from ovsam.utils.preflight import require_inputs


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__)
    parser.add_argument('configs', nargs='+', metavar='CONFIG', help='configs, or a folder of them')
    parser.add_argument(
        '--names',
        nargs='+',
        metavar='NAME',
        help="titles of the rows, one per config (the files' names)",
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/compare'),
        help='folder of all that is written (%(default)s)',
    )
    parser.add_argument(
        '--insert',
        type=Path,
        metavar='FILE',
        help='put the section between the marks of this Markdown file, too, and '
        'the pictures beside it',
    )
    parser.add_argument('--scenes', type=int, default=4, help='rows of the pictures (%(default)s)')
    parser.add_argument(
        '--repeat', type=int, default=5, help='measurements of each time; 0 for none (%(default)s)'
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')
    add_config_options(parser, 'values of every config')
    args = parser.parse_args(argv)
    args.command = shlex.join(['python', 'tools/compare.py', *(argv or sys.argv[1:])])
    if args.scenes < 0 or args.repeat < 0:
        parser.error('--scenes and --repeat must not be negative')
    return args


def notes(args: argparse.Namespace, methods: list, device: torch.device) -> str:
    """What the reader must know: command, data, machine."""
    data = methods[0].data()
    source = f'{data.get("data_root", "")}{data.get("ann_file", data["type"])}'
    return (
        f'`{args.command}` prints these figures of `{source}`. IoU, accuracy and AP in percent;'
        f' times on {device.type} ({platform.machine()}, {torch.get_num_threads()} threads).'
    )


def run(args: argparse.Namespace) -> None:
    """Compare, and write what was found."""
    methods = collect_methods(args.configs, args.names, args.cfg_options)
    for method in methods:
        require_inputs(method.cfg, 'test')
    device = choose_device(args.device)
    rows, pictures = [], {}
    for number, method in enumerate(methods, 1):
        print(f'{number}/{len(methods)} {method.name}', file=sys.stderr)
        # One model at a time, and only if something of it is missing.
        build = functools.cache(functools.partial(init_model, method.cfg, device=device))
        rows.append((method, make_record(method, args.out / 'records', build, args.repeat, device)))
        pictures[method] = draw_scenes(method, build, args.scenes, args.out / 'scenes')
    sheets = {}
    for prompts, group in by_prompts(rows).items():
        if args.scenes:
            group = [method for method, _ in group]
            sheet = scene_sheet(
                [method.name for method in group], [pictures[method] for method in group]
            )
            sheets[prompts] = f'comparison-{prompts.replace(" ", "-")}.jpg'
            for folder in (args.out, *([args.insert.parent] if args.insert else [])):
                write_whole(folder / sheets[prompts], jpeg(sheet, 85))
    section = markdown_section(rows, notes(args, methods, device), sheets)
    write_whole(args.out / 'comparison.md', section.encode())
    write_whole(args.out / 'comparison.csv', csv_table(rows).encode())
    if args.insert:
        insert_section(args.insert, section, 'comparison')
    print(section)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    return exit_status('compare', run, parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
