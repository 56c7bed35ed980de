"""A more general name where no name is sure enough.

Who cannot tell the Pembroke from the Cardigan may still answer "corgi", or "dog".

Glossary: N regions, K names, M synsets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..vocabulary.name_texts import natural_name
from ..vocabulary.vocabulary import Vocabulary
from ..vocabulary.wordnet import HOW_TO_GET_IT, WordNetHierarchy

# Of an answer that is no name of the vocabulary: "entity" is 0, "artifact" and "living thing" 4,
# and what is above them says nothing.
LEAST_DEPTH = 4
_SYNSET = re.compile(r'n\d{8}')


class BackOffAnswer(NamedTuple):
    """A name that is likely enough.

    ``score`` is its probability; ``leaves`` are the likeliest names of the vocabulary that it may
    stand for, with their own.
    """

    name: str
    score: float
    leaves: tuple[tuple[str, float], ...]


class HierarchicalBackOff:
    """Answers a name of the vocabulary if its probability suffices, or else what is above it.

    What is in the vocabulary as synsets (aliases such as ``n02113023``, which the packs of
    ImageNet have) is linked by these; another name by the first of its texts that has one meaning
    in WordNet. Names with no link are answered if they are likely enough, and are part of nothing.
    A synset's probability is the sum over the names at and below it; of the synsets that pass, the
    deepest is the answer, and of equally deep ones the likeliest.

    Args:
        hierarchy: What is a kind of what.
        vocabulary: K names.
        threshold: Least probability of an answer, in (0, 1].

    Raises:
        ValueError: Most of the vocabulary's synsets are not in this WordNet, so that it is of
            another version.
    """

    def __init__(
        self, hierarchy: WordNetHierarchy, vocabulary: Vocabulary, threshold: float
    ) -> None:
        self.vocabulary = vocabulary
        self.threshold = threshold
        own = _synsets(hierarchy, vocabulary)
        self.linked = sum(map(bool, own))
        below: dict[str, list[int]] = {}
        for label, synsets in enumerate(own):
            for synset in hierarchy.lineage(synsets):
                below.setdefault(synset, []).append(label)
        is_name = {
            synset: label for label, synsets in reversed([*enumerate(own)]) for synset in synsets
        }
        kept = [
            synset
            for synset in below
            if synset in is_name or hierarchy.depths[synset] >= LEAST_DEPTH
        ]
        self.names = tuple(
            vocabulary.names[is_name[synset]]
            if synset in is_name
            else _general_name(hierarchy.lemmas[synset], vocabulary)
            for synset in kept
        )
        self._members = [torch.tensor(below[synset]) for synset in kept]
        self._depths = torch.tensor([hierarchy.depths[synset] for synset in kept])
        self._sums = _sum_matrix(self._members, len(vocabulary))

    def __call__(self, probabilities: Tensor, top_k: int = 5) -> list[BackOffAnswer | None]:
        """An answer for each region; None where nothing is likely enough.

        Args:
            probabilities: (N, K), of which a row sums up to at most 1.
            top_k: How many leaves to report.
        """
        probabilities = probabilities.detach().float().cpu()
        sums = torch.sparse.mm(self._sums, probabilities.T)  # (M, N)
        # Depths are whole numbers and probabilities at most 1 but for rounding.
        order = (2.0 * self._depths[:, None] + sums).masked_fill(sums < self.threshold, -1)
        best, place = F.pad(order, (0, 0, 0, 1), value=-1).max(dim=0)  # -1 for nothing
        return [
            self._answer(row, int(node) if depth >= 0 else None, sums[:, number], top_k)
            for number, (row, depth, node) in enumerate(zip(probabilities, best, place))
        ]

    def _answer(
        self, row: Tensor, node: int | None, sums: Tensor, top_k: int
    ) -> BackOffAnswer | None:
        score, label = row.max(dim=0)
        if score >= self.threshold:
            name = self.vocabulary.names[int(label)]
            return BackOffAnswer(name, float(score), ((name, float(score)),))
        if node is None:
            return None
        members = self._members[node]
        found = row[members].topk(min(top_k, len(members)))
        return BackOffAnswer(
            self.names[node],
            float(sums[node]),
            tuple(
                (self.vocabulary.names[int(members[place])], float(value))
                for value, place in zip(found.values, found.indices)
            ),
        )


def _synsets(hierarchy: WordNetHierarchy, vocabulary: Vocabulary) -> list[list[str]]:
    """What each name of the vocabulary means; nothing if that is not known."""
    meant, said, lost = [], 0, 0
    for name, texts in zip(vocabulary.names, vocabulary.synonyms):
        synsets = [*filter(_SYNSET.fullmatch, vocabulary.aliases.get(name, ()))]
        if synsets:
            known = [synset for synset in synsets if synset in hierarchy]
            said, lost = said + 1, lost + (not known)
        else:
            meaning = hierarchy.meaning((name, *texts))
            known = [] if meaning is None else [meaning]
        meant.append(known)
    if lost > said / 2:
        raise ValueError(
            f'{lost} of the {said} synsets of the vocabulary are not in this '
            f'WordNet, which is of another version than theirs: {HOW_TO_GET_IT}'
        )
    return meant


def _general_name(lemmas: Sequence[str], vocabulary: Vocabulary) -> str:
    """The first lemma that means nothing else in the vocabulary."""
    free = (lemma for lemma in lemmas if vocabulary.find(lemma) is None)
    return next(free, f'kind of {natural_name(lemmas[0])}')


def _sum_matrix(members: Sequence[Tensor], num_names: int) -> Tensor:
    """(M, K) sparse: which names each synset sums up."""
    rows = torch.arange(len(members)).repeat_interleave(
        torch.tensor([len(each) for each in members], dtype=torch.long)
    )
    columns = torch.cat([torch.zeros(0, dtype=torch.long), *members])
    with torch.sparse.check_sparse_tensor_invariants(enable=True):
        return torch.sparse_coo_tensor(
            torch.stack([rows, columns]), torch.ones(len(columns)), size=(len(members), num_names)
        ).coalesce()
