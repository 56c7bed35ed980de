"""The flags of servers, and the model that they mean: one in torch, or an export."""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from ..apis.flags import add_model_flags
from ..utils.paths import DEFAULT_MODEL
from .served_model import ServedModel
from .shared_export import SharedExport


def add_server_flags(
    parser: argparse.ArgumentParser, port: int, vocabulary: str, token: str
) -> None:
    """Give a parser the flags of what serves pictures; :func:`check_server_flags` checks them.

    ``vocabulary`` and ``token`` are what the help says of these.
    """
    add_model_flags(parser, vocabulary, default=None)  # none goes with --onnx
    parser.add_argument(
        '--onnx',
        type=Path,
        metavar='DIR',
        help='in place of --model, --weights and --device: what ovsam export wrote, which runs '
        'without torch. Its --vocabulary is a file of ovsam vocabulary NAMES --embed CONFIG, or '
        "some of the export's own names; all of these if not given",
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to serve at; 0.0.0.0 for all that this machine has (%(default)s)',
    )
    parser.add_argument('--port', type=int, default=port, help='(%(default)s)')
    parser.add_argument(
        '--token',
        default=os.environ.get('OVSAM_TOKEN'),
        help=f'{token}; better set OVSAM_TOKEN, which other users of this machine do not see',
    )
    parser.add_argument(
        '--max-megabytes', type=float, default=20.0, help='largest file of a picture (%(default)s)'
    )
    parser.add_argument(
        '--max-megapixels', type=float, default=40.0, help='largest picture (%(default)s)'
    )
    parser.add_argument(
        '--points-per-side', type=int, help="of everything mode; the model's if not given"
    )


def check_server_flags(args: argparse.Namespace, *more: str) -> None:
    """Reject what does not go together, an empty token, no port, and what is not positive.

    Raises:
        ValueError: There is such a flag, ``more`` among them by their names in ``args``.
    """
    others = [f'--{name}' for name in ('model', 'weights', 'device') if getattr(args, name)]
    if args.onnx and others:
        raise ValueError(
            f'--onnx is a whole model, which runs on the CPU: leave out {" and ".join(others)}'
        )
    for name in ('max_megabytes', 'max_megapixels', 'points_per_side', *more):
        value = getattr(args, name)
        if value is not None and not value > 0:
            raise ValueError(f'--{name.replace("_", "-")} must be positive; got {value:g}')
    if not 0 <= args.port <= 65535:
        raise ValueError(f'--port must be in [0, 65535]; got {args.port}')
    if args.token == '':
        raise ValueError('--token is empty: give one, or leave it out to let anybody in')


def served_model(args: argparse.Namespace) -> ServedModel:
    """The model that the flags mean.

    Raises:
        ImportError: What it runs with is not installed.
        OSError: A file is missing.
        ValueError: A file is of another kind, or a name cannot be used.
    """
    if args.onnx:
        return SharedExport(args.onnx, args.vocabulary)
    if find_spec('torch') is None:
        raise ImportError(
            'torch is not installed: pip install . in the folder of this project, or serve an '
            'export, which needs none, with --onnx DIR'
        )
    from .shared_model import SharedModel

    return SharedModel(args.model or DEFAULT_MODEL, args.weights, args.vocabulary, args.device)
