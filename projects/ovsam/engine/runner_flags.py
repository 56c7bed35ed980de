"""The flags of tools that run a config with mmengine's runner."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction

from ..utils.command_line import parser_of
from ..utils.process_place import LAUNCHERS, process_place


class ConfigOptions(DictAction):
    """mmengine's ``DictAction``, which removes spaces, but with those inside of values.

    ``vocabulary='[traffic light, cat]'`` is ``['traffic light', 'cat']``. The rest is mmengine's:
    lists with or without brackets, tuples in parentheses, either in the other; numbers, ``True``,
    ``None``; quotes around a value go.
    """

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        val = val.strip(' \'"')
        brackets = val[:1] + val[-1:]
        if brackets in ('()', '[]'):
            val = val[1:-1]
        elif ',' not in val:
            return DictAction._parse_int_float_bool(val)
        parts = _split(val)
        if brackets not in ('()', '[]') and len(parts) == 1:  # its commas are in brackets
            return val
        if not parts[-1].strip():  # what comes after a last comma
            parts.pop()
        values = [ConfigOptions._parse_iterable(part) for part in parts]
        return tuple(values) if brackets == '()' else values

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        """See argparse."""
        for value in values:
            if '=' not in value:
                parser.error(
                    f'{option_string}: {value!r} is not KEY=VALUE; put a value with '
                    "spaces in quotes, as in 'model.vocabulary=[cat, traffic light]'"
                )
        super().__call__(parser, namespace, values, option_string)


def _split(text: str) -> list[str]:
    """The parts between commas, but for those in brackets."""
    parts, closing = [''], []
    for letter in text:
        if letter in '([':
            closing.append(')' if letter == '(' else ']')
        elif letter in ')]' and (not closing or closing.pop() != letter):
            closing = [letter]
            break
        if letter == ',' and not closing:
            parts.append('')
        else:
            parts[-1] += letter
    if closing:
        raise argparse.ArgumentError(None, f'the brackets of {text!r} do not match')
    return parts


def add_config_options(parser: argparse.ArgumentParser, of_what: str = 'config values') -> None:
    """``--cfg-options KEY=VALUE ...``, as mmdet's users know it; help says of what."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help=f'override {of_what}, e.g. model.chunk_size=8',
    )


def fitting_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the flags of every tool that fits something on objects of training data.

    :func:`ovsam.evaluation.opinions.training_loader` takes what ``--train`` and ``--limit`` give.
    """
    parser = parser_of(description)
    parser.add_argument('config', help='config of an evaluation, whose vocabulary has seen names')
    parser.add_argument(
        '--train',
        nargs=2,
        metavar=('ANN_FILE', 'FOLDER'),
        required=True,
        help="of the training data, below the validation data's data_root",
    )
    parser.add_argument('--limit', type=int, help='how many of its images; all if not given')
    parser.add_argument('--out', type=Path, required=True, help='file of the weights')
    return parser


def runner_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the flags of every tool that runs a config with mmengine's runner.

    :func:`runner_config` reads them.
    """
    parser = parser_of(description)
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('--work-dir', help='logs and checkpoints (work_dirs/CONFIG)')
    add_config_options(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how several processes were started (%(default)s)',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help='set by the launcher'
    )
    return parser


def runner_config(args: argparse.Namespace) -> Config:
    """The config file with the common flags' changes in it.

    Raises:
        ValueError: The process was not started by the launcher that the flags name.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher in LAUNCHERS:
        process_place(args.launcher)
    cfg = Config.fromfile(args.config)
    # The runner writes its config five times and with every checkpoint. Formatted by yapf each
    # would take seconds; without, it is one entry a line all the same.
    cfg = Config(
        cfg.to_dict(),
        cfg_text=cfg.text,
        filename=cfg.filename,
        env_variables=cfg.env_variables,
        format_python_code=False,
    )
    cfg.launcher = args.launcher
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    return cfg
