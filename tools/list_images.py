"""Find the images of a very large folder once, for data sets that take a listing.

    python tools/list_images.py data/sa1b --out data/sa1b.listing --pattern 'sa_*.jpg'
    python tools/list_images.py data/sa1b --out data/sa1b.listing --verify
    aws s3 ls --recursive s3://bucket/sa1b/ | awk '{print $4}' | sed 's,^sa1b/,,' > paths.txt
    python tools/list_images.py s3://bucket/sa1b --out data/sa1b.listing --paths paths.txt

The listing is written whole or not at all; making it again replaces it. --verify looks through
the folder and says whether the images are those of the listing: status 0, or 1 if they are not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import ovsam  # noqa: F401  (first of all that imports mmdet)
from ovsam.datasets.image_listing import ImageListing
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.image_walk import IMAGE_SUFFIXES


def make(args: argparse.Namespace) -> ImageListing:
    """The listing of what the flags name."""
    if args.paths is None:
        return ImageListing.build(args.out, args.folder, args.pattern or ())
    if args.pattern:
        raise ValueError('--pattern is for finding files, and --paths says which there are')
    # Linux has names that are not UTF-8, and names with spaces at their ends.
    lines = args.paths.read_text('utf-8-sig', 'surrogateescape').split('\n')
    paths = (line.rstrip('\r') for line in lines if line.strip())
    return ImageListing.from_paths(args.out, paths, args.folder)


def is_current(args: argparse.Namespace) -> bool:
    """Whether the folder has the images of the listing, and says so."""
    if args.paths or args.pattern:
        raise ValueError(
            '--verify looks for what the listing itself says, without --pattern and --paths'
        )
    listing = ImageListing(args.out)
    same = listing.is_of(args.folder)
    print(
        f'{args.folder} has {"the" if same else "other images than the"} {len(listing):,} '
        f'images of {args.out}'
    )
    return same


def run(args: argparse.Namespace) -> int:
    """Write the listing or, by --verify, compare it; returns 1 if it is not of these images."""
    if args.verify:
        return int(not is_current(args))
    listing = make(args)
    print(
        f'{len(listing):,} images in {len(listing.folders):,} folders: {args.out}, '
        f'{args.out.stat().st_size / 1e6:,.1f} MB'
    )
    return 0


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('folder', help='where to look, with all folders in it')
    parser.add_argument('--out', type=Path, required=True, help='the listing')
    parser.add_argument(
        '--pattern',
        action='append',
        help=f'of file names; may be given several times ({", ".join(IMAGE_SUFFIXES)})',
    )
    parser.add_argument(
        '--paths', type=Path, metavar='FILE', help='relative paths, one a line, in place of looking'
    )
    parser.add_argument('--verify', action='store_true', help='compare; write nothing')
    return exit_status('list_images', run, parser.parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
