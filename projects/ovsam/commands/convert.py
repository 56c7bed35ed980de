"""Turn published weights into this project's, and back.

    ovsam convert sam_vit_h_4b8939.pth --out checkpoints/sam_vit_h.pth
    ovsam convert sam2clip_vith_rn50x16.pth clip2sam_coco_rn50x16.pth \
        --out checkpoints/ovsam_rn50x16_coco.pth
    ovsam convert checkpoints/ovsam_rn50x16_coco.pth --to published \
        --out ovsam.pth

A FILE is SAM's, CLIP's (open_clip's or OpenAI's), SAM2CLIP's, CLIP2SAM's or a whole OVSAM
checkpoint: *.pth, *.pt, *.bin or *.safetensors; or open_clip://MODEL/TAG, which stands for what
open_clip has in its cache. Several files become one. Beside SAM2CLIP or CLIP2SAM, frozen SAM and
CLIP are left out, as from every checkpoint of this project, unless --all is given.
"""

import argparse
from pathlib import Path

from ..checkpoints.conversion import from_published, to_published
from ..checkpoints.converted_file import (
    read_converted,
    report,
    write_converted,
    write_published,
)
from ..checkpoints.loading import read_state_dict
from ..checkpoints.open_clip_cache import cached_file
from ..checkpoints.parts import PARTS
from ..utils.command_line import exit_status, parser_of


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = parser_of(__doc__, 'ovsam convert')
    parser.add_argument('files', nargs='+', metavar='FILE')
    parser.add_argument('--out', type=Path, required=True, help='the file to write')
    parser.add_argument(
        '--to',
        choices=['ours', 'published'],
        default='ours',
        help='whose keys to write (%(default)s)',
    )
    parser.add_argument(
        '--parts',
        nargs='+',
        choices=list(PARTS),
        metavar='PART',
        help=f'convert these only: {", ".join(PARTS)}',
    )
    parser.add_argument(
        '--all',
        action='store_true',
        help='keep frozen parts, and weights that the published model never uses',
    )
    parser.add_argument('--verbose', action='store_true', help='name every key')
    args = parser.parse_args(argv)
    if args.to == 'published' and len(args.files) > 1:
        parser.error('--to published takes one FILE')
    if args.to == 'published' and args.all:
        parser.error('--all is for --to ours: a published file has what its model uses')
    return args


def read_and_convert(file: str, args: argparse.Namespace):
    """The conversion of one file; errors name it."""
    path = cached_file(file)
    try:
        if args.to == 'published':
            return to_published(*read_converted(path), args.parts)
        return from_published(read_state_dict(str(path)), args.parts)
    except ValueError as error:
        message = str(error)
        raise ValueError(
            message if str(path) in message else f"Cannot convert '{path}': {message}"
        ) from error


def convert(args: argparse.Namespace) -> None:
    """Read, convert, write and report."""
    conversions = {file: read_and_convert(file, args) for file in args.files}
    if args.to == 'published':
        conversion = conversions[args.files[0]]
        write_published(args.out, conversion)
        state = conversion.state_dict
    else:
        state = write_converted(args.out, conversions, keep_all=args.all)
    for file, conversion in conversions.items():
        print(f'{file}: {conversion.kind}\n{report(conversion, every_key=args.verbose)}')
    print(f'{args.out}: {len(state)} tensors, {args.out.stat().st_size / 1e6:.1f} MB')


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    return exit_status('convert', convert, parse_args(argv))
