"""Names with their embeddings, in a file that is read without torch: see ``ovsam_onnx``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from safetensors.torch import save

from ovsam_onnx.names import KIND

from ..vocabulary.templates import get_templates
from .name_bank import NameBank


def names_file(bank: NameBank, text_encoder: str, templates: str | Sequence[str]) -> bytes:
    """A bank as a safetensors file: ``table`` (T, C) float32, ``counts`` (K,) int64.

    What the names are, and which CLIP's, stands in the file's metadata.

    Args:
        bank: K names by T rows. Examples are left out.
        text_encoder: Fingerprint of what embedded the names.
        templates: What their texts were put into, unless the vocabulary has its own.
    """
    vocabulary = bank.vocabulary
    header = dict(
        kind=KIND,
        text_encoder=text_encoder,
        templates=json.dumps(list(vocabulary.templates or get_templates(templates))),
        vocabulary=json.dumps(vocabulary.to_dict()),
    )
    table, counts = bank.table.float().cpu().contiguous(), bank.counts.cpu().contiguous()
    return save(dict(table=table, counts=counts), header)
