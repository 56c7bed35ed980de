"""Finds configs and checkpoints, in a checkout or in an installed wheel."""

from pathlib import Path

from .wording import listed

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_root() -> Path:
    """The folder that holds ``configs/``, ``tools/`` and ``checkpoints/``.

    A wheel carries them in ``ovsam/.mim``; in a checkout (editable install) it
    is the root of the repository.
    """
    carried = _PACKAGE / '.mim'
    return carried if carried.is_dir() else _PACKAGE.parents[1]


def _find(kind: str, name: str, suffix: str) -> Path:
    folder = resource_root() / kind
    asked = name if name.endswith(suffix) else name + suffix
    path = folder / asked
    if path.is_file():
        return path
    present = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob('*' + suffix)
        if '_base_' not in file.parts
    )
    raise FileNotFoundError(
        f"No '{asked}' in {folder}. Nearest first, there is: {listed(present, near=name)}."
    )


def config_path(name: str) -> Path:
    """The path of a config of this project.

    Args:
        name: Its path below ``configs/``, with or without ``.py``.

    Raises:
        FileNotFoundError: There is none; the message lists the nearest that exist.
    """
    return _find('configs', name, '.py')


def checkpoint_path(name: str) -> Path:
    """The path of a checkpoint that this project carries or that was put into ``checkpoints/``.

    Args:
        name: Its path below ``checkpoints/``, with or without ``.pth``.

    Raises:
        FileNotFoundError: There is none; the message lists the nearest that exist.
    """
    return _find('checkpoints', name, '.pth')
