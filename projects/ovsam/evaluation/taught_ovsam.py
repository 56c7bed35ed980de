"""Evaluation of names by example: some names are taught from other data before the first image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.dataset import pseudo_collate

from ..naming.name_bank import NameBank
from ..segmenters.ovsam import OVSAM
from ..vocabulary import Vocabulary
from .opinions import collect_embeddings


@MODELS.register_module()
class TaughtOVSAM(OVSAM):
    """An OVSAM whose names of one group are taught by a few examples of each.

    Args:
        examples: Config of the data set that examples are drawn from; its annotated objects are
            prompted for as the evaluation's are.
        group: Of the vocabulary: what is taught.
        shots: How many examples of each name; of names that have fewer, all.
        with_text: Whether the texts of these names say something, too.
        seed: Of what is drawn.
        **kwargs: Of :class:`OVSAM`, with an ``example_space``.
    """

    def __init__(
        self,
        examples: dict,
        group: str = 'novel',
        shots: int = 4,
        *,
        with_text: bool = False,
        seed: int = 0,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.examples = examples
        self.group, self.shots, self.with_text, self.seed = group, shots, with_text, seed

    @torch.no_grad()
    def bank(self, vocabulary: Vocabulary | None = None) -> NameBank:
        """The bank of the model's own vocabulary knows the examples; see the base class."""
        if self.own_bank is not None or vocabulary not in (None, self.vocabulary):
            return super().bank(vocabulary)
        plain = super().bank()
        names = self.vocabulary.group(self.group)
        wanted = self.vocabulary.label_map(names).tolist()
        rows, labels = collect_embeddings(self, self._drawn(wanted))
        found = {name: rows[labels == place] for name, place in zip(names, wanted)}
        self.own_bank = plain.taught(
            {name: some[: self.shots] for name, some in found.items() if len(some)},
            with_text=self.with_text,
        )
        return self.own_bank

    def _drawn(self, wanted: Sequence[int]) -> list[dict]:
        """Images in an order of chance, until there are enough objects of each name.

        Labels are places in the model's vocabulary.
        """
        dataset = DATASETS.build(self.examples)
        places = torch.from_numpy(self.vocabulary.label_map(dataset.metainfo['classes']))
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(self.seed))
        missing = dict.fromkeys(wanted, self.shots)
        batches = []
        for place in order.tolist():
            batch = pseudo_collate([dataset[place]])
            instances = batch['data_samples'][0].gt_instances
            instances.labels = places[instances.labels]
            useful = [label for label in instances.labels.tolist() if missing.get(label, 0) > 0]
            for label in useful:
                missing[label] -= 1
            if useful:
                batches.append(batch)
            if not any(count > 0 for count in missing.values()):
                break
        return batches
