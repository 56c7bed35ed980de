"""The word pieces that a BERT reads texts as.

Glossary: T texts, L tokens of the longest of them.
"""

from __future__ import annotations

import functools
import unicodedata
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from ...utils.package_files import SCHEME, package_file

PADDING = 0  # the id of what fills rows up
UNKNOWN = '[UNK]'


class WordPieces:
    """A tokenizer that learned its pieces from English, read from its file when first needed.

    It is a :class:`~ovsam.vocabulary.same_texts.Tokenizer`. The first text that is not in Latin
    letters, or has something that it has no piece for, gives a warning.

    Args:
        file: Hugging Face's ``tokenizer.json``: a path, or an address as
            :func:`~ovsam.utils.package_files.package_file` takes it.
        context_length: What of a text is read, in tokens, with start and end.

    Raises:
        ImportError: When first needed: the package ``tokenizers`` is not installed.
        FileNotFoundError: When first needed: there is no such file.
    """

    def __init__(self, file: str, context_length: int) -> None:
        self.file = file
        self.context_length = context_length
        self._has_warned = False

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Token ids (T, L) with start and end; long texts are cut, short rows padded."""
        return torch.tensor([each.ids for each in self._tokenizer.encode_batch(list(texts))])

    def encode(self, text: str) -> list[int]:
        """All tokens of a text, without start and end."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        parts = (found, *found.overflowing)
        tokens = [
            token
            for part in parts
            for token, is_text in zip(part.ids, part.attention_mask)
            if is_text
        ]
        if not self._has_warned and self._is_foreign(text, tokens):
            self._has_warned = True
            warnings.warn(
                f'{text!r}: the sentence encoder of this model has learned English, and makes '
                'little of other scripts and of signs. Give names in English; this is said once',
                stacklevel=2,
            )
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, in small letters."""
        return self._tokenizer.decode(list(tokens))

    def _is_foreign(self, text: str, tokens: list[int]) -> bool:
        letters = (unicodedata.name(char, '') for char in text if char.isalpha())
        return self._tokenizer.token_to_id(UNKNOWN) in tokens or any(
            not name.startswith('LATIN') for name in letters
        )

    @functools.cached_property
    def _tokenizer(self):
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ImportError(
                'the sentence encoder of this model needs the package tokenizers: '
                'pip install tokenizers'
            ) from error
        path = package_file(self.file) if self.file.startswith(SCHEME) else self.file
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.enable_truncation(self.context_length)
        tokenizer.enable_padding(pad_id=PADDING)
        return tokenizer
