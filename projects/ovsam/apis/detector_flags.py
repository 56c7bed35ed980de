"""The flags of tools that put a detector of mmdet in front."""

from __future__ import annotations

import argparse

from .prompt_sources import DetectorBoxes


def add_detector_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags that :func:`detector_of` reads."""
    parser.add_argument(
        '--detector',
        metavar='CONFIG',
        help='where to look: the boxes of a detector of mmdet; its names are left alone',
    )
    parser.add_argument(
        '--detector-weights',
        metavar='FILE',
        help="its checkpoint; its config's load_from if not given",
    )
    parser.add_argument(
        '--detector-threshold',
        type=float,
        default=0.3,
        help='least score of its boxes (%(default)s)',
    )


def check_detector_flags(args: argparse.Namespace) -> None:
    """Reject what does not go together.

    Raises:
        ValueError: there are weights and no detector, or the threshold is out of its range.
    """
    if args.detector_weights and not args.detector:
        raise ValueError('--detector-weights are of no detector: give its config by --detector')
    if not 0 <= args.detector_threshold <= 1:
        raise ValueError(f'--detector-threshold must be in [0, 1]; got {args.detector_threshold}')


def detector_of(args: argparse.Namespace, device: str | None) -> DetectorBoxes | None:
    """What the flags ask for, if a detector is given.

    Args:
        args: with the flags.
        device: of :func:`~.init_model.choose_device`.

    Raises:
        ValueError: there are no weights, or there is no such device.
    """
    return args.detector and DetectorBoxes(
        args.detector, args.detector_weights, args.detector_threshold, device
    )
