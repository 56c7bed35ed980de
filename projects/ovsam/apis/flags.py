"""The flags that several commands have: of the model, of prompts, of a detector in front."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..utils.command_line import given_flags
from ..utils.paths import DEFAULT_MODEL

if TYPE_CHECKING:
    from .prompt_sources import DetectorBoxes


def add_model_flags(
    parser: argparse.ArgumentParser, vocabulary: str, default: str | None = DEFAULT_MODEL
) -> None:
    """Give a parser ``--model``, ``--weights``, ``--vocabulary`` and ``--device``.

    Args:
        parser: That gets them.
        vocabulary: What the help says of the names.
        default: The model if none is given; None where that is :data:`DEFAULT_MODEL`, too, but
            it matters whether one was given.
    """
    parser.add_argument(
        '--model',
        '--config',
        default=default,
        help='name of a published model such as ovsam-rn50x16-coco, downloaded the first time, or '
        f'a config ({default or DEFAULT_MODEL} if not given)',
    )
    parser.add_argument(
        '--weights', metavar='FILE', help="its checkpoint; the config's load_from if not given"
    )
    parser.add_argument(
        '--vocabulary',
        help=f'names with commas between, a pack such as lvis, or a .txt or .json file{vocabulary}',
    )
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ...; cuda if there is')


def add_prompt_flags(parser: argparse.ArgumentParser) -> None:
    """Give a parser ``--point`` and ``--box``: ``pointed`` has each flag and its text, in order.

    :func:`~.user_prompts.parse_prompt` makes prompts of them.
    """
    for flag, form in (('point', 'x,y[,label][;...]'), ('box', 'x1,y1,x2,y2')):
        parser.add_argument(
            f'--{flag}',
            dest='pointed',
            action='append',
            metavar=form,
            default=[],
            type=lambda text, flag=flag: (flag, text),  # type: ignore[misc]
        )


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
        help='least score of its boxes (0.3 if not given)',
    )


def check_detector_flags(args: argparse.Namespace) -> None:
    """Reject what does not go together.

    Raises:
        ValueError: There are flags of a detector and none, or the threshold is out of its range.
    """
    given = given_flags(args, 'detector_weights', 'detector_threshold')
    if given and not args.detector:
        raise ValueError(f'{given[0]} is of no detector: give its config by --detector')
    if args.detector_threshold is not None and not 0 <= args.detector_threshold <= 1:
        raise ValueError(f'--detector-threshold must be in [0, 1]; got {args.detector_threshold}')


def detector_of(args: argparse.Namespace, device: str | None) -> DetectorBoxes | None:
    """What the flags ask for, if a detector is given.

    Raises:
        ValueError: There are no weights, or there is no such device.
    """
    if not args.detector:
        return None
    from .prompt_sources import DetectorBoxes

    threshold = 0.3 if args.detector_threshold is None else args.detector_threshold
    return DetectorBoxes(args.detector, args.detector_weights, threshold, device)
