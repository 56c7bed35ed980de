"""Finds configs, weights and the cache, in a checkout or in an installed wheel."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .wording import listed

DEFAULT_MODEL = 'photo'  # of predictors, commands and servers
_PACKAGE = Path(__file__).resolve().parents[1]


def resource_root() -> Path:
    """The folder that holds ``configs/``, ``tools/`` and ``checkpoints/``.

    A wheel carries them in ``ovsam/.mim``; in a checkout (editable install) it
    is the root of the repository.
    """
    carried = _PACKAGE / '.mim'
    return carried if carried.is_dir() else _PACKAGE.parents[1]


def cache_folder() -> Path:
    """``$OVSAM_CACHE``, else ``$XDG_CACHE_HOME/ovsam``, else ``~/.cache/ovsam``; may not exist."""
    own = os.environ.get('OVSAM_CACHE')
    if own:
        return Path(own).expanduser()
    shared = os.environ.get('XDG_CACHE_HOME')
    return (Path(shared) if shared else Path.home() / '.cache') / 'ovsam'


def weights_folder() -> Path:
    """The folder of fetched weights, which configs name as ``checkpoints/``.

    ``$OVSAM_CHECKPOINTS``; else ``checkpoints`` of the checkout; else, for an installed package,
    ``checkpoints`` in the cache. It may not exist.
    """
    own = os.environ.get('OVSAM_CHECKPOINTS')
    if own:
        return Path(own).expanduser()
    root = cache_folder() if resource_root() == _PACKAGE / '.mim' else resource_root()
    return root / 'checkpoints'


def fetched_path(path: str | Path) -> Path | None:
    """Where fetched weights that a config names ``checkpoints/NAME`` lie, if they are there."""
    path = Path(path)
    if path.is_absolute() or path.parts[:1] != ('checkpoints',):
        return None
    kept = weights_folder().joinpath(*path.parts[1:])
    return kept if kept.is_file() else None


def config_path(name: str, others: Iterable[str] = ()) -> Path:
    """The path of a config of this project.

    Args:
        name: Its path below ``configs/``, with or without ``.py``.
        others: What else the user may have meant, for the message.

    Raises:
        FileNotFoundError: There is none; the message names the nearest ones.
    """
    folder = resource_root() / 'configs'
    asked = name if name.endswith('.py') else f'{name}.py'
    path = folder / asked
    if path.is_file():
        return path
    present = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob('*.py')
        if '_base_' not in file.parts
    )
    there = listed([*others, *present], near=name)
    raise FileNotFoundError(f"No '{asked}' in {folder}. There is: {there}")
