"""What the command-line tools have in common."""

from __future__ import annotations

import argparse
import contextlib
import io
import linecache
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from .needed import MissingInputs

_WORKER = 'Original Traceback'  # what torch says of an error in a data loader's process


def parser_of(description: str | None, program: str | None = None) -> argparse.ArgumentParser:
    """A parser that shows a module's docstring with its lines as they are.

    ``program`` is what the user calls, the name of the file if not given.
    """
    return argparse.ArgumentParser(
        program, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def output_folder(text: str) -> Path:
    """The type of a flag that names a folder to write to, which need not be there.

    Raises:
        argparse.ArgumentTypeError: It is a file, or in one.
    """
    for place in (Path(text), *Path(text).parents):
        if os.path.isfile(place):
            raise argparse.ArgumentTypeError(f'{place} is a file: name a folder to write to')
    return Path(text)


def given_flags(args: argparse.Namespace, *names: str) -> list[str]:
    """Those of flags that were given a value, as they are written: ``--batch-size``."""
    return [f'--{name.replace("_", "-")}' for name in names if getattr(args, name) is not None]


def exit_status(
    name: str, run: Callable[..., int | None], *args, unless: Callable[[], bool] = lambda: False
) -> int:
    """Run a tool's work; bad input becomes one line and status 2, other faults stay as they are.

    Args:
        name: The tool's, which begins the line.
        run: What to run. If it returns a number other than 0, of what was left out, status is 1.
        *args: Its arguments.
        unless: Asked when ``run`` fails: whether all input has been looked at, so that the fault
            stays as it is, unless a data loader's process had it or this package says it itself.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal or file cannot hold is no reason to lose what was computed.
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        return int(bool(run(*args)))
    except MissingInputs as error:  # a list
        print(f'{name}: {error}', file=sys.stderr)
        return 2
    except (ValueError, TypeError, OSError, ImportError, KeyError) as error:
        # Of KeyErrors, those of a registry are names that are misspelled, and those of a list's
        # length are places that --cfg-options asks for.
        if isinstance(error, KeyError) and not re.search('registry|length of list', str(error)):
            raise
        if unless() and _WORKER not in str(error) and not _is_of_ours(error):
            raise
        print(f'{name}: {" ".join(_reason(error).split())}', file=sys.stderr)
        return 2


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """A block that SIGTERM ends as an error does, so that what must be said at the end is said.

    Launchers and Slurm send it before they kill. The status is then that of a process which it
    killed.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_of_ours(error: Exception) -> bool:
    """Whether a ``raise`` of this package made it, whose message is for users, and no library."""
    *_, (frame, number) = traceback.walk_tb(error.__traceback__)
    line = linecache.getline(frame.f_code.co_filename, number)
    return frame.f_globals['__name__'].startswith('ovsam') and line.lstrip().startswith('raise ')


def _reason(error: Exception) -> str:
    """An error's message, without the traceback that a data loader's worker puts before it."""
    text = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    if _WORKER not in text:
        return text
    return re.split(rf'\n(?:\w+\.)*{type(error).__name__}: ', text)[-1]
