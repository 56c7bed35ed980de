"""WordNet's nouns: which is a kind of which.

The file is WordNet's own, ``data.noun`` (wndb(5WN) has its format). ImageNet's classes are places
in the one of WordNet 3.0: ``n02084071`` is what begins at byte 2084071.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from mmdet.registry import TASK_UTILS

from ..utils.digest import fingerprint
from .name_texts import name_key, natural_name

DEBIAN_FOLDER = '/usr/share/wordnet'
HOW_TO_GET_IT = (
    'install WordNet 3.0 (Debian and Ubuntu: apt-get install wordnet-base; elsewhere unpack '
    'WNdb-3.0.tar.gz of wordnet.princeton.edu), and give the path of its data.noun if that is not '
    f'in {DEBIAN_FOLDER} or $WNSEARCHDIR'
)


class WordNetHierarchy:
    """Synsets, each with its lemmas and with what it is a kind or an instance of.

    Args:
        parents: Direct hypernyms by synset, such as ``n02084071``.
        lemmas: By synset, the first one first.

    Raises:
        ValueError: A synset is its own ancestor, or a hypernym is no synset.
    """

    def __init__(
        self, parents: Mapping[str, tuple[str, ...]], lemmas: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.parents = dict(parents)
        self.lemmas = dict(lemmas)
        unknown = {over for above in self.parents.values() for over in above} - self.parents.keys()
        if unknown:
            raise ValueError(f'{len(unknown)} hypernyms are no synsets: {sorted(unknown)[:5]}')
        self.depths = _depths(self.parents)

    @classmethod
    def from_data_noun(cls, path: str | Path | None = None) -> WordNetHierarchy:
        """Read WordNet's file of nouns.

        Args:
            path: Of ``data.noun``; in the folder ``$WNSEARCHDIR``, as WordNet's own programs have
                it, or where Debian installs it, if not given.

        Raises:
            FileNotFoundError: It is not there; the message says how to get it.
            ValueError: It is not such a file.
        """
        if path is None:
            path = Path(os.environ.get('WNSEARCHDIR') or DEBIAN_FOLDER) / 'data.noun'
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no {path}: WordNet's file of nouns says what is a "
                f'kind of what; {HOW_TO_GET_IT}'
            )
        parents, lemmas = {}, {}
        with path.open(encoding='latin-1') as lines:
            for number, line in enumerate(lines, 1):
                if line.startswith('  '):  # the licence
                    continue
                try:
                    synset, parents[synset], lemmas[synset] = _parsed(line)
                except (ValueError, IndexError) as error:
                    raise ValueError(
                        f"{path} is not WordNet's file of nouns: line {number} is "
                        f'{line[:60]!r}; {HOW_TO_GET_IT}'
                    ) from error
        if not parents:
            raise ValueError(f'{path} has no synsets; {HOW_TO_GET_IT}')
        return cls(parents, lemmas)

    def __contains__(self, synset: str) -> bool:
        return synset in self.parents

    def lineage(self, synsets: Iterable[str]) -> set[str]:
        """The synsets and all that they are kinds of."""
        found, todo = set(), list(synsets)
        while todo:
            synset = todo.pop()
            if synset not in found:
                found.add(synset)
                todo += self.parents[synset]
        return found

    def meaning(self, texts: Iterable[str]) -> str | None:
        """The synset of the first text that is a lemma of just one; None if there is none."""
        for text in texts:
            meant = self._by_lemma.get(name_key(text), ())
            if len(meant) == 1:
                return meant[0]
        return None

    @cached_property
    def fingerprint(self) -> str:
        """What is the same only for the same synsets, links and lemmas."""
        return fingerprint([self.parents, self.lemmas])

    @cached_property
    def _by_lemma(self) -> dict[str, list[str]]:
        by_lemma: dict[str, list[str]] = {}
        for synset, lemmas in self.lemmas.items():
            for key in dict.fromkeys(map(name_key, lemmas)):
                by_lemma.setdefault(key, []).append(synset)
        return by_lemma


TASK_UTILS.register_module(name='WordNetHierarchy', module=WordNetHierarchy.from_data_noun)


def _parsed(line: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Synset, hypernyms and lemmas of a line."""
    fields = line.partition(' | ')[0].split()
    offset, kind, words = fields[0], fields[2], int(fields[3], 16)
    if kind != 'n' or not offset.isdecimal() or words < 1:
        raise ValueError('no noun')
    pointers = fields[5 + 2 * words :]
    if len(pointers) != 4 * int(fields[4 + 2 * words]):
        raise ValueError('cut off')
    above = tuple(
        f'n{target}'
        for symbol, target in zip(pointers[::4], pointers[1::4])
        if symbol in ('@', '@i')
    )
    return f'n{offset}', above, tuple(natural_name(word) for word in fields[4 : 4 + 2 * words : 2])


def _depths(parents: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """The longest way down to each synset, so that what is below is always deeper."""
    depths: dict[str, int] = {}
    try:
        for synset in TopologicalSorter(parents).static_order():
            depths[synset] = max((1 + depths[over] for over in parents[synset]), default=0)
    except CycleError as error:
        circle = sorted(set(error.args[1]))
        raise ValueError(f'{len(circle)} synsets are kinds of themselves: {circle[:5]}') from error
    return depths
