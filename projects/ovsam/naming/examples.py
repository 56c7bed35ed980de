"""Names by example: regions compared with regions that someone gave a name.

A region is much nearer to any other region than to any text, so the cosine of two regions says
little as it is. After their mean is taken off and what varies within a name is scaled down
(whitening, as in linear discriminant analysis), it says as much as a text does.

Glossary: N regions, R names with examples, E opinions, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor

from ..utils.digest import fingerprint

FITTED_SHOTS = 4  # examples of a name that scale and shift are for
TEXT_WORTH = 4.0  # examples of a name that its text counts for


@dataclass(frozen=True, eq=False)
class Examples:
    """What is known by example; a row for each of R names, however many examples it has.

    Args:
        places: (R,) int64, ascending: which names of a bank they are.
        sums: (R, E, C) the sum of a name's examples, as :class:`ExampleSpace` gives them.
        counts: (R,) int64, how many examples that are.
        with_text: (R,) bool, whether the text of the name says something, too.
    """

    places: Tensor
    sums: Tensor
    counts: Tensor
    with_text: Tensor

    def to(self, device: torch.device | str) -> Examples:
        """The same on a device."""
        return Examples(*(each.to(device) for each in self.columns()))

    def columns(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Places, sums, counts, and whether texts count."""
        return self.places, self.sums, self.counts, self.with_text

    def merged(self, other: Examples) -> Examples:
        """Both, in the order of places; each name has one row, of all its examples.

        Whether their texts count is as the other has it, where any of its rows of the name says so.
        """
        both = [torch.cat(pair) for pair in zip(self.columns(), other.columns())]
        places, rows = both[0].unique(return_inverse=True)
        sums = both[1].new_zeros(len(places), *both[1].shape[1:]).index_add_(0, rows, both[1])
        counts = both[2].new_zeros(len(places)).index_add_(0, rows, both[2])
        ours, others = rows.split([len(self.places), len(other.places)])
        with_text = torch.zeros_like(counts, dtype=torch.bool)
        with_text[ours] = self.with_text
        with_text[others] = False
        with_text[others[other.with_text]] = True
        return Examples(places, sums, counts, with_text)


@MODELS.register_module()
class ExampleSpace(BaseModule):
    """Where the embeddings of regions are compared with each other.

    What it holds is fitted by ``tools/fit_examples.py`` on objects of the base classes; nothing of
    it depends on the names that are taught later.

    Args:
        embed_dims: Length C of the embeddings.
        num_opinions: Number E of the model's opinions of a region.
        scale: Of cosines between a region and a sum of four examples, and
        shift: What is taken off, so that a region is as near to its examples as to its text.
        likeness: The mean cosine of two examples of one name; a sum of few examples is less like
            a region of the name than a sum of many, and this says by how much.
        rank: In how many directions what varies within a name is scaled down, those in which it
            varies most; in all if not given. Fewer make a smaller file.
        init_cfg: Where the fitted weights come from, as in mmengine.

    Raises:
        ValueError: ``rank`` is not from 1 to C.
    """

    mean: Tensor
    varying: Tensor

    def __init__(
        self,
        embed_dims: int,
        num_opinions: int = 2,
        scale: float = 0.35,
        shift: float = 0.02,
        likeness: float = 0.5,
        rank: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        rank = embed_dims if rank is None else rank
        if not 1 <= rank <= embed_dims:
            raise ValueError(f'rank is {rank}: expected one from 1 to the {embed_dims} channels')
        self.scale, self.shift, self.likeness = scale, shift, likeness
        self.register_buffer('mean', torch.zeros(num_opinions, embed_dims))
        # Directions in which regions of one name vary, each as long as the root of the share that
        # is taken off.
        self.register_buffer('varying', torch.zeros(num_opinions, embed_dims, rank))

    def fit(self, embeddings: Tensor, labels: Tensor, ridge: float = 1.0) -> None:
        """Learn mean and whitening.

        Args:
            embeddings: (N, E, C) of regions.
            labels: (N,) what they are; those of one name vary by chance only.
            ridge: What is added to the variance of each direction, in mean variances: the more,
                the less whitening.

        Raises:
            ValueError: No name has two regions.
        """
        _, names, counts = labels.unique(return_inverse=True, return_counts=True)
        if not (counts > 1).any():
            raise ValueError('no name has two regions: there is nothing to learn how names vary by')
        for opinion, rows in enumerate(embeddings.float().unbind(1)):
            self.mean[opinion] = rows.mean(dim=0)
            sums = rows.new_zeros(len(counts), rows.shape[1]).index_add_(0, names, rows)
            around = rows - (sums / counts[:, None])[names]
            covariance = around.T @ around / len(rows)
            variances, directions = torch.linalg.eigh(covariance)
            scales = (variances + ridge * variances.mean()).rsqrt()
            # Cosines do not change with the length of all, so the least direction keeps its own.
            taken_off = directions * (1 - scales / scales.max()).sqrt()
            self.varying[opinion] = taken_off[:, -self.varying.shape[2] :]

    def forward(self, embeddings: Tensor) -> Tensor:
        """Embeddings (N, E, C) of regions, L2-normalised, made comparable: (N, E, C), likewise.

        Raises:
            ValueError: They are another model's, by their size.
        """
        if embeddings.shape[1:] != self.mean.shape:
            raise ValueError(
                f'embeddings of {tuple(embeddings.shape[1:])} opinions and channels do not belong '
                f'to this model, which has {tuple(self.mean.shape)}: teach with its own regions'
            )
        centred = embeddings.to(self.mean) - self.mean
        along = torch.einsum('nec,ecr->ner', centred, self.varying)
        return F.normalize(centred - torch.einsum('ner,ecr->nec', along, self.varying), dim=-1)

    def by_example(
        self, logits: Tensor, regions: Tensor, examples: Examples, factor: float
    ) -> Tensor:
        """Logits (N, E, K + 1) by text, with those of names that have examples by example alone.

        Regions are embeddings (N, E, C), as the model gives them; examples are of R of the K names,
        on the same device; ``factor`` is what the logits multiply cosines by.
        """
        rows = F.normalize(examples.sums, dim=-1)
        cosines = torch.einsum('nec,rec->ner', self(regions), rows) * self._gain(examples.counts)
        shown = logits.clone()
        shown[..., examples.places] = factor * (self.scale * cosines - self.shift).to(logits)
        # An embedding of zeros is no opinion.
        return torch.where((regions != 0).any(dim=-1, keepdim=True), shown, logits)

    def text_shares(self, examples: Examples, num_columns: int) -> Tensor:
        """The say (num_columns,) of texts in each score, against examples.

        A name without examples has the mean of the others', so that it neither gains nor loses.
        """
        share = TEXT_WORTH / (TEXT_WORTH + examples.counts)
        share = torch.where(examples.with_text, share, 0.0)
        shares = share.mean().repeat(num_columns)
        shares[examples.places] = share
        return shares

    def _gain(self, counts: Tensor) -> Tensor:
        """What brings cosines with sums of so many examples to those with FITTED_SHOTS."""

        def expected(count: Tensor | int) -> Tensor | float:
            return (count / (1 + (count - 1) * self.likeness)) ** 0.5

        return expected(FITTED_SHOTS) / expected(counts)

    def fingerprint(self) -> str:
        """What examples depend on: they are of no use to a model with another one."""
        return fingerprint(None, {'mean': self.mean, 'varying': self.varying})
