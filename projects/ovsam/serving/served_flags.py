"""Which model a server is started with: the flags of one in torch, or of an export."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from ..apis.flags import add_model_flags
from ..utils.paths import DEFAULT_MODEL
from .served_model import ServedModel
from .shared_export import SharedExport


def add_served_model_flags(parser: argparse.ArgumentParser, vocabulary: str) -> None:
    """Give a parser the flags that :func:`served_model` reads.

    Args:
        parser: That gets them.
        vocabulary: What the help says of the names.
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


def check_served_model_flags(args: argparse.Namespace) -> None:
    """Reject what does not go together.

    Raises:
        ValueError: There is a model in torch beside an export.
    """
    others = [f'--{name}' for name in ('model', 'weights', 'device') if getattr(args, name)]
    if args.onnx and others:
        raise ValueError(
            f'--onnx is a whole model, which runs on the CPU: leave out {" and ".join(others)}'
        )


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
            'torch is not installed: pip install ovsam, or serve an export, which needs none, with '
            '--onnx DIR'
        )
    from .shared_model import SharedModel

    return SharedModel(args.model or DEFAULT_MODEL, args.weights, args.vocabulary, args.device)
