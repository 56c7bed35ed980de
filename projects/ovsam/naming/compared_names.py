"""Which names an instance is told apart from in a step of training.

Glossary: B images, M instances, K names, K' of them that are compared.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import SampleList
from torch import Tensor


class Compared(NamedTuple):
    """The names of a step.

    Attributes:
        columns: (K',) long, ascending: the names.
        labels: (M,) long: the place of each instance's name among them.
        bias: What is added to logits, (M, K') or (1, K'): minus infinity takes a name away from an
            instance. None for nothing.
    """

    columns: Tensor
    labels: Tensor
    bias: Tensor | None = None


@TASK_UTILS.register_module()
class AllNames:
    """All names: right where they exclude each other, and all annotations are complete."""

    def __call__(
        self, labels: Tensor, images: Tensor, samples: SampleList, num_names: int
    ) -> Compared:
        """The names of a step.

        Args:
            labels: (M,) long, in [0, K).
            images: (M,) long, the image of each instance.
            samples: B.
            num_names: K.
        """
        return self.among(torch.arange(num_names, device=labels.device), labels)

    def among(self, candidates: Tensor, labels: Tensor) -> Compared:
        """Those of some names, ascending, that are compared; instances' own are among them."""
        return Compared(candidates, torch.searchsorted(candidates, labels))


@TASK_UTILS.register_module()
class SampledNames(AllNames):
    """The instances' own names and a random sample of the others, anew in each step.

    A drawn name stands for those that were not: its logit is raised by the logarithm of how many
    that is, so that the softmax's denominator is, on average, that of all names. Source: Jean et
    al., "On Using Very Large Target Vocabulary for Neural Machine Translation" (ACL 2015).

    Args:
        num: Names at a time, unless the instances have more; at least 2.
    """

    def __init__(self, num: int = 1000) -> None:
        if num < 2:
            raise ValueError(f'num must be at least 2, a name and another one; got {num}')
        self.num = num

    def among(self, candidates: Tensor, labels: Tensor) -> Compared:
        """See the base."""
        own = labels.unique()
        others = candidates[~torch.isin(candidates, own)]
        count = max(0, self.num - len(own))
        if count >= len(others):
            return super().among(candidates, labels)
        drawn = others[torch.randperm(len(others))[:count].to(others.device)]
        columns = torch.cat([own, drawn]).sort().values
        stands_for = math.log(len(others) / count) if count else 0.0
        bias = torch.isin(columns, drawn).float() * stands_for
        return Compared(columns, torch.searchsorted(columns, labels), bias[None])


@TASK_UTILS.register_module()
class JudgedNames:
    """Only names of which the image's annotation says whether they are in it.

    Those are in the sample's ``judged_labels`` (see :class:`~ovsam.datasets.JointDataset`): for
    LVIS the categories that annotators were asked for in this image (Gupta et al., "LVIS: A Dataset
    for Large Vocabulary Instance Segmentation", CVPR 2019: it is federated), for other sources
    their own classes. Names of other sources, which may mean the same, take no part. In
    a sample without ``judged_labels`` all names count. An instance's own name always does.

    Args:
        names: Config of which of these are compared, :class:`AllNames` or :class:`SampledNames`;
            all if not given.
    """

    def __init__(self, names: dict | None = None) -> None:
        self.names = TASK_UTILS.build(names or dict(type='AllNames'))

    def __call__(
        self, labels: Tensor, images: Tensor, samples: SampleList, num_names: int
    ) -> Compared:
        """See :class:`AllNames`."""
        judged = torch.zeros(len(samples), num_names, dtype=torch.bool, device=labels.device)
        for row, sample in zip(judged, samples):
            known = sample.metainfo.get('judged_labels')
            row[slice(None) if known is None else torch.as_tensor(known).long()] = True
        wanted = judged.any(dim=0)
        wanted[labels] = True
        columns, places, bias = self.names.among(wanted.nonzero()[:, 0], labels)
        counts = judged[:, columns][images]
        counts[torch.arange(len(labels), device=labels.device), places] = True
        judgement = torch.zeros(counts.shape, device=labels.device)
        judgement = judgement.masked_fill(~counts, -math.inf)
        return Compared(columns, places, judgement if bias is None else judgement + bias)
