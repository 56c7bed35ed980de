"""Files of converted weights: several conversions in one, written whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..utils.files import full_disk_says, whole_file
from ..version import __version__
from .conversion import Conversion
from .loading import read_state_dict
from .parts import PARTS, part_of, parts_in
from .safe_loading import load_from_local

# What OVSAM's two trainings learn; beside it, SAM and CLIP are frozen.
_LEARNED = {'neck', 'label_head'}
_UNUSED = 'unused'
FROZEN = 'frozen in OVSAM, which reads it from a file of its own (--all keeps it)'
KEPT_APART = 'never used by the published model; kept apart from the model, for the way back'
REPLACED = "CLIP2SAM's decoder, trained from it, takes its place"


def merge(conversions: Mapping[str, Conversion], *, keep_all: bool = False) -> dict[str, Tensor]:
    """The weights of several files as one state dict; updates what each dropped and missed.

    Where there are parts that OVSAM learned, its frozen parts are dropped from their conversions,
    as from every checkpoint of this project.

    Args:
        conversions: To this project's keys, by the name of their file.
        keep_all: Whether to keep frozen parts.

    Raises:
        ValueError: If two files hold the same part.
    """
    learned = any(_LEARNED & set(parts_in(one.state_dict)) for one in conversions.values())
    has_own_decoder = any(map(_has_own_decoder, conversions.values()))
    merged: dict[str, Tensor] = {}
    origin: dict[str, str] = {}
    for file, conversion in conversions.items():
        if has_own_decoder and not _has_own_decoder(conversion):
            _drop(conversion, {'mask_decoder'}, REPLACED)
        if learned and not keep_all and not _has_own_decoder(conversion):
            _drop(conversion, PARTS.keys() - _LEARNED, FROZEN)
        for name in parts_in(conversion.state_dict):
            if name in origin:
                raise ValueError(
                    f'both {origin[name]} and {file} hold {PARTS[name].title} '
                    f'({name}.*): give one of them'
                )
            origin[name] = file
        merged.update(conversion.state_dict)
    for conversion in conversions.values():
        conversion.missed = [name for name in conversion.missed if name not in origin]
    return merged


def write_converted(
    path: str | Path, conversions: Mapping[str, Conversion], *, keep_all: bool = False
) -> dict[str, Tensor]:
    """Write conversions to this project's keys into one file; returns its state dict.

    Like :func:`merge`, it updates what each conversion dropped and missed.

    Raises:
        ValueError: As :func:`merge`.
    """
    state = merge(conversions, keep_all=keep_all)
    sources = [{'file': file, 'kind': one.kind} for file, one in conversions.items()]
    content = {
        'meta': {'ovsam_version': __version__, 'converted_from': sources},
        'state_dict': _compact(state),
    }
    unused = {key: value for one in conversions.values() for key, value in one.unused.items()}
    if keep_all and unused:
        content[_UNUSED] = _compact(unused)
        for conversion in conversions.values():
            conversion.dropped.update(dict.fromkeys(conversion.unused, KEPT_APART))
    _save(path, content)
    return state


def write_published(path: str | Path, conversion: Conversion) -> None:
    """Write published keys as their authors do: OVSAM's under ``state_dict``, others bare."""
    state = _compact(conversion.state_dict)
    _save(path, {'meta': {}, 'state_dict': state} if 'OVSAM' in conversion.kind else state)


def read_converted(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """State dict and unused published weights of a file of this project.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged or holds no weights.
    """
    state = read_state_dict(str(path))
    return state, load_from_local(str(path)).get(_UNUSED, {})


def report(conversion: Conversion, *, every_key: bool = False) -> str:
    """What was used, dropped and missed, a group of keys to a line."""
    lines = [f'used     {line}' for line in _used(conversion.used, every_key=every_key)]
    for reason in dict.fromkeys(conversion.dropped.values()):
        keys = [key for key, why in conversion.dropped.items() if why == reason]
        lines += [f'dropped  {line}: {reason}' for line in (keys if every_key else _groups(keys))]
    lines += [
        f'missed   {PARTS[name].title} ({name}.*)' if name in PARTS else f'missed   {name}.*'
        for name in conversion.missed
    ]
    return '\n'.join(lines)


def _used(used: Mapping[str, str], *, every_key: bool) -> Iterable[str]:
    if every_key:
        return [old if old == new else f'{old} as {new}' for old, new in used.items()]
    pairs = Counter((_group(old), _group(new)) for old, new in used.items())
    return [
        (old if old == new else f'{old} as {new}') + f' ({count})'
        for (old, new), count in pairs.items()
    ]


def _groups(keys: Iterable[str]) -> list[str]:
    return [f'{group} ({count})' for group, count in Counter(map(_group, keys)).items()]


def _group(key: str) -> str:
    """The key's first names: two where the published OVSAM has a decoder within a decoder."""
    names = key.split('.')
    deep = (
        len(names) > 2
        and names[0] == 'mask_decoder'
        and names[1] in ('mask_decoder', 'label_token', 'label_mlp', 'roi_conv')
    )
    return '.'.join(names[: 2 if deep else 1]) + ('.*' if len(names) > 1 else '')


def _has_own_decoder(conversion: Conversion) -> bool:
    return 'mask_decoder.label_token.weight' in conversion.state_dict


def _drop(conversion: Conversion, parts: set[str], reason: str) -> None:
    conversion.drop([key for key in conversion.state_dict if part_of(key) in parts], reason)


def _compact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors without what else their memory holds, which would be saved with them."""
    return {
        key: value if value.untyped_storage().nbytes() == value.nbytes else value.clone()
        for key, value in state.items()
    }


def _save(path: str | Path, content: Mapping) -> None:
    # Through a file of Python's: torch's own writer does not tell why it cannot write.
    with (
        full_disk_says(Path(path).parent, lambda: f"a part of '{path}'"),
        whole_file(path) as partial,
        partial.open('wb') as file,
    ):
        torch.save(content, file)
