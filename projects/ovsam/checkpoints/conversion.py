"""Renames published weights to this project's keys, and back.

Nothing but names changes: tensors keep their values and their types. What a published file holds
under a key that this project has no place for is dropped, and said so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ..parts.published_keys import (
    ovsam_key,
    published_ovsam_key,
    published_sam_image_encoder_key,
    sam_image_encoder_key,
)
from ..utils.wording import listed
from .loading import describe
from .parts import PARTS, check_parts, part_of, parts_in

_ENCODER = PARTS['image_encoder'].prefix
_SAM, _CLIP = 'a SAM checkpoint', 'a CLIP checkpoint'
_OVSAM = 'a published OVSAM checkpoint'
_OVSAM_SIGNS = ('neck_student.', 'fpn_neck.', 'mask_decoder.mask_decoder.')
_SAM_SIGNS = (_ENCODER, 'prompt_encoder.', 'mask_decoder.transformer.')
_CLIP_SIGNS = ('visual.', 'token_embedding.', 'transformer.resblocks.')
_SAM_PARTS = ('image_encoder', 'prompt_encoder', 'mask_decoder')
_OVSAM_PARTS = ('neck', 'label_head', 'mask_decoder')
EXPECTED = (
    'expected SAM (keys image_encoder.*, prompt_encoder.*, mask_decoder.*), CLIP of '
    'open_clip or OpenAI (keys visual.*, transformer.*), or a published OVSAM, SAM2CLIP '
    'or CLIP2SAM checkpoint (keys neck_student.*, fpn_neck.*, mask_decoder.*)'
)
NEVER_USED = 'never used by the published model'
UNKNOWN = 'not a weight that this project knows'
NOT_ASKED = 'of a part that was not asked for'


@dataclass
class Conversion:
    """Weights under new keys, and what became of the old ones.

    Attributes:
        kind: What the weights are, for a reader.
        state_dict: The weights under their new keys.
        used: New key by old key.
        dropped: Why, by old key.
        missed: Names of parts that such a file may hold and that this one does not.
        unused: Weights that the published model stores and never uses, under published keys.
    """

    kind: str
    state_dict: dict[str, Tensor] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    unused: dict[str, Tensor] = field(default_factory=dict)

    def drop(self, new_keys: Collection[str], reason: str) -> None:
        """Take weights out again."""
        for old, new in list(self.used.items()):
            if new in new_keys:
                self.dropped[old] = reason
                del self.used[old], self.state_dict[new]


def from_published(
    weights: Mapping[str, Tensor], parts: Collection[str] | None = None
) -> Conversion:
    """Published weights of one file under this project's keys.

    Args:
        weights: SAM's, CLIP's (open_clip's or OpenAI's), or OVSAM's (SAM2CLIP, CLIP2SAM or both).
        parts: Names of the parts to convert; all that there are if not given.

    Raises:
        ValueError: If they are none of these, if a part is incomplete, or if weights have wrong
            shapes. The message says what the file seems to be and what was expected.
    """
    conversion = Conversion(published_kind(weights))
    rename, possible = {
        _SAM: (_sam_key, _SAM_PARTS),
        _CLIP: ('clip.'.__add__, ('clip',)),
    }.get(conversion.kind, (ovsam_key, _OVSAM_PARTS))
    for key, value in weights.items():
        try:
            new = rename(key)
        except KeyError:
            conversion.dropped[key] = UNKNOWN
            continue
        if new is None:
            conversion.dropped[key] = NEVER_USED
            conversion.unused[key] = value
        else:
            conversion.used[key] = new
            conversion.state_dict[new] = value
    conversion.drop(check_parts(conversion.state_dict), UNKNOWN)
    if parts is not None:
        _select(conversion, parts)
    conversion.missed = [
        name
        for name in possible
        if name not in parts_in(conversion.state_dict) and (parts is None or name in parts)
    ]
    return conversion


def to_published(
    weights: Mapping[str, Tensor],
    unused: Mapping[str, Tensor] | None = None,
    parts: Collection[str] | None = None,
) -> Conversion:
    """This project's weights under the keys of the published file that holds such weights.

    Args:
        weights: SAM's, CLIP's or OVSAM's parts, under this project's keys.
        unused: Published weights without a place here, kept by an earlier conversion.
        parts: Names of the parts to convert; all that there are if not given.

    Raises:
        ValueError: If there is nothing to convert, if the parts are published in different files,
            or if a part is damaged.
    """
    weights = {
        key: value
        for key, value in weights.items()
        if part_of(key) and (parts is None or part_of(key) in parts)
    }
    names = parts_in(weights)
    if not names:
        raise ValueError(
            f'no part of {listed(parts or PARTS)} in it: expected weights of this project'
        )
    unknown = check_parts(weights)
    conversion = Conversion(_file_of(weights, names))
    rename = {
        _SAM: _published_sam_key,
        _CLIP: lambda key: key.removeprefix('clip.'),
    }.get(conversion.kind, published_ovsam_key)
    for key, value in weights.items():
        if key in unknown:
            conversion.dropped[key] = UNKNOWN
        else:
            conversion.used[key] = rename(key)
            conversion.state_dict[conversion.used[key]] = value
    if 'label_head' in names:
        conversion.state_dict.update(unused or {})
        conversion.used.update({key: key for key in unused or {}})
        conversion.missed += [] if unused else ['mask_decoder.label_mlp']
    return conversion


def published_kind(weights: Collection[str]) -> str:
    """What published file has these keys, for a reader.

    Raises:
        ValueError: It is none that can be converted.
    """
    if _any(weights, _OVSAM_SIGNS):
        adapter, head = _any(weights, _OVSAM_SIGNS[:1]), _any(weights, _OVSAM_SIGNS[1:])
        return (
            'a published '
            + ('OVSAM' if adapter and head else 'SAM2CLIP' if adapter else 'CLIP2SAM')
            + ' checkpoint'
        )
    converted = weights and all(map(part_of, weights))
    if converted and {'neck', 'label_head', 'clip'} & set(parts_in(weights)):
        raise ValueError(
            f"it has this project's keys already: it seems to be {describe(weights)}; {EXPECTED}"
        )
    if _any(weights, _SAM_SIGNS):
        return _SAM
    if _any(weights, _CLIP_SIGNS):
        return _CLIP
    raise ValueError(f'it seems to be {describe(weights)}; {EXPECTED}')


def _any(keys: Collection[str], signs: tuple[str, ...]) -> bool:
    return any(key.startswith(signs) for key in keys)


def _file_of(weights: Collection[str], names: list[str]) -> str:
    """The kind of the published file that holds parts of this project.

    Raises:
        ValueError: They are published in several files.
    """
    of_ovsam = {'neck', 'label_head'}
    if 'label_head' in names or 'mask_decoder.label_token.weight' in weights:
        of_ovsam.add('mask_decoder')
    files: dict[str, list[str]] = {}
    for name in names:
        kind = _OVSAM if name in of_ovsam else _CLIP if name == 'clip' else _SAM
        files.setdefault(kind, []).append(name)
    if len(files) > 1:
        held = '; '.join(f'{" ".join(parts)} ({kind})' for kind, parts in files.items())
        raise ValueError(
            f'its parts are published in {len(files)} files: choose the parts of one: {held}'
        )
    return next(iter(files))


def _sam_key(key: str) -> str:
    if part_of(key) not in _SAM_PARTS:
        raise KeyError(key)
    if key.startswith(_ENCODER):
        return _ENCODER + sam_image_encoder_key(key[len(_ENCODER) :])
    return key


def _published_sam_key(key: str) -> str:
    if key.startswith(_ENCODER):
        return _ENCODER + published_sam_image_encoder_key(key[len(_ENCODER) :])
    return key


def _select(conversion: Conversion, parts: Collection[str]) -> None:
    held = parts_in(conversion.state_dict)
    lacking = [name for name in parts if name not in held]
    if not any(name in held for name in parts):
        raise ValueError(
            f'it is {conversion.kind} with the parts {listed(held)}: expected '
            f'one with {listed(lacking)}'
        )
    conversion.drop([key for key in conversion.state_dict if part_of(key) not in parts], NOT_ASKED)
    if 'label_head' not in parts:
        conversion.unused.clear()
