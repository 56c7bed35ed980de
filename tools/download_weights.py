"""Fetch published weights, check them, and convert them to this project's keys.

    python tools/download_weights.py --list
    python tools/download_weights.py ovsam-rn50x16-coco
    python tools/download_weights.py sam-vit-h clip-rn50     # what SAM2CLIP is trained from

Published files go to checkpoints/downloads/, converted ones to checkpoints/, where the configs
look for them. An interrupted download goes on where it stopped. Without a network the tool says
which files to fetch by other means and where to put them; run again, it goes on from there.
docs/weights.md lists the weights and their licences; some allow non-commercial use only.
"""

import argparse
import sys
from pathlib import Path

import ovsam  # noqa: F401  (before mmdet is imported)
from ovsam.checkpoints.converted_file import report
from ovsam.checkpoints.fetch import convert, instructions, obtain, place_of
from ovsam.checkpoints.model_index import FOLDER, ModelIndex, read_model_index


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('names', nargs='*', metavar='NAME', help='of models or files; see --list')
    parser.add_argument('--list', action='store_true', help='what there is, and what is here')
    parser.add_argument('--dir', type=Path, default=Path(FOLDER), help='(%(default)s)')
    parser.add_argument('--force', action='store_true', help='convert again what is converted')
    parser.add_argument('--index', type=Path, help="a list of weights (this project's own)")
    args = parser.parse_args(argv)
    if not args.names and not args.list:
        parser.error('give a NAME, or --list')
    return args


def listing(index: ModelIndex, folder: Path) -> str:
    """A line per entry."""
    lines = [f'{"name":26} {"size":>9}  {"state":10}  licence']
    for name in [*index.models, *index.files]:
        files = index.files_of(name)
        sizes = {file.file: file.size for file in files}
        size = 'unknown' if None in sizes.values() else f'{sum(sizes.values()) / 1e6:.1f} MB'
        state = (
            'ready'
            if all((folder / file.converted).is_file() for file in files)
            else 'downloaded'
            if all(place_of(file, folder).is_file() for file in files)
            else '-'
        )
        licences = '; '.join(dict.fromkeys(file.licence for file in files))
        lines.append(f'{name:26} {size:>9}  {state:10}  {licences}')
    return '\n'.join(lines)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = parse_args(argv)
    try:
        index = read_model_index(args.index)
        if args.list:
            print(listing(index, args.dir))
        files = {file.name: file for name in args.names for file in index.files_of(name)}
    except (OSError, ValueError) as error:
        print(f'download_weights: {error}', file=sys.stderr)
        return 2
    unreachable = []
    failed = False
    for file in files.values():
        target = args.dir / file.converted
        if target.is_file() and not args.force:
            print(f'{target}: is here already')
            continue
        try:
            source = obtain(file, args.dir)
            conversion = convert(file, source, args.dir)
        except ConnectionError as error:
            print(f'download_weights: {error}', file=sys.stderr)
            unreachable.append(file)
        except (OSError, ValueError) as error:
            print(f'download_weights: {error}', file=sys.stderr)
            failed = True
        else:
            print(
                f'{target}: {file.name}, licence {file.licence}, from {source}\n'
                f'{report(conversion)}'
            )
    if unreachable:
        print(
            'What could not be fetched; get it by other means, then run this again:\n'
            f'{instructions(unreachable, args.dir)}',
            file=sys.stderr,
        )
    return int(failed or bool(unreachable))


if __name__ == '__main__':
    sys.exit(main())
