"""Names of files as other programs and people leave them."""

from __future__ import annotations

import hashlib
import os
import re

# Bytes: file systems allow 255, and endings such as '.safetensors' must fit behind the name.
LONGEST = 243
# What lists of names come in. Those that cannot be read are refused, and never taken for a name.
_NAME_LISTS = ('.txt', '.json', '.csv', '.tsv', '.jsonl', '.yaml', '.yml', '.names')


def fitting_name(name: str, longest: int = LONGEST) -> str:
    """The name if it has at most so many bytes; else its beginning and a digest of it."""
    content = os.fsencode(name)
    if len(content) <= longest:
        return name
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f'{content[: longest - len(digest) - 1].decode(errors="ignore")}-{digest}'


def printable(name: str) -> str:
    """The name as a terminal can show it on one line; what it cannot show is escaped."""
    return name if name.isprintable() else repr(name)[1:-1]


def as_utf8(name: str) -> str:
    """The name with U+FFFD for each byte or letter in it that is not UTF-8."""
    return re.sub('[\ud800-\udfff]', '\ufffd', name)


def is_name_list(text: str) -> bool:
    """Whether a text is the path of a file of names, there or not and readable or not."""
    return text.lower().endswith(_NAME_LISTS)


def merged_parts(text: str) -> list[str]:
    """What ``+`` stands between, as in ``'coco+mine.txt'``: vocabularies that are put together.

    The path of a file as a whole, whatever signs it has, is one.
    """
    if is_name_list(text) and os.path.isfile(text):
        return [text]
    return [part.strip() for part in text.split('+')]
