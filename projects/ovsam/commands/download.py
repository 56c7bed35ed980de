"""Fetch published weights, check them, and convert them to this project's keys.

    ovsam download --list
    ovsam download ovsam-rn50x16-coco
    ovsam download sam-vit-h clip-rn50     # what SAM2CLIP is trained from

Published files go to checkpoints/downloads/, converted ones to checkpoints/, where the configs
look for them; in an installed package without a checkout, to checkpoints in its cache. An
interrupted download goes on where it stopped. Without a network the tool says which files to fetch
by other means and where to put them; run again, it goes on from there. docs/weights.md lists the
weights and what is known of their licences; some allow non-commercial use only.
"""

import argparse
import sys
from pathlib import Path

from ..checkpoints.converted_file import report
from ..checkpoints.fetch import WeightStore
from ..checkpoints.model_index import ModelIndex, PublishedFile, read_model_index
from ..utils.command_line import exit_status, parser_of
from ..utils.tables import table


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__, 'ovsam download')
    parser.add_argument('names', nargs='*', metavar='NAME', help='of models or files; see --list')
    parser.add_argument('--list', action='store_true', help='what there is, and what is here')
    parser.add_argument(
        '--dir',
        type=Path,
        help='where to; OVSAM_CHECKPOINTS, or checkpoints '
        'of the checkout or the cache if not given',
    )
    parser.add_argument(
        '--mirror',
        action='append',
        metavar='[HOST=]ADDRESS',
        help='ask ADDRESS in place of HOST, or of every host but the hub, for '
        'which HF_ENDPOINT is; OVSAM_MIRROR if not given',
    )
    parser.add_argument('--force', action='store_true', help='convert again what is converted')
    parser.add_argument('--index', type=Path, help="a list of weights (this project's own)")
    args = parser.parse_args(argv)
    if not args.names and not args.list:
        parser.error('give a NAME, or --list')
    return args


def listing(index: ModelIndex, store: WeightStore) -> str:
    """A line per entry."""
    rows = []
    for name in [*index.models, *index.files]:
        files = index.files_of(name)
        sizes = {file.file: file.size for file in files}
        known = [size for size in sizes.values() if size is not None]
        size = f'{sum(known) / 1e6:.1f} MB' if len(known) == len(sizes) else 'unknown'
        state = (
            'ready'
            if all(map(store.converted, files))
            else 'downloaded'
            if all(map(store.is_here, files))
            else '-'
        )
        licences = '; '.join(dict.fromkeys(file.licence for file in files))
        rows.append([name, size, state, licences])
    head = ['name', 'size', 'state', 'licence']
    return table(head, rows, texts=4)


def fetch(
    store: WeightStore, name: str, files: list[PublishedFile], *, force: bool
) -> list[PublishedFile]:
    """Fetch and convert what an entry needs; returns the files that could not be reached."""
    here = [] if force else [file for file in files if store.converted(file)]
    for file in here:
        print(f'{store.converted(file)}: is here already')
    done = list(here)
    try:
        for file, source, conversion in store.provide(name, files, force=force):
            done.append(file)
            print(
                f'{store.folder / file.converted}: {file.name}, licence {file.licence}, from '
                f'{source}\n{report(conversion)}'
            )
    except ConnectionError as error:
        print(f'download: {error}', file=sys.stderr)
        return [file for file in files if file not in done]
    return []


def run(args: argparse.Namespace) -> bool:
    """List and fetch what is asked for; returns whether anything is missing after that."""
    store = WeightStore(args.dir, args.mirror and ' '.join(args.mirror))
    index = read_model_index(args.index)
    if args.list:
        print(listing(index, store))
    lacking = []
    failed = False
    for name, files in {name: index.files_of(name) for name in args.names}.items():
        try:
            lacking += fetch(store, name, files, force=args.force)
        except (OSError, ValueError) as error:
            print(f'download: {error}', file=sys.stderr)
            failed = True
    if lacking:
        print(
            'What is still to be fetched; get it by other means, then run this again:\n'
            f'{store.instructions(lacking)}',
            file=sys.stderr,
        )
    return failed or bool(lacking)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    return exit_status('download', run, parse_args(argv))
