"""Whether a name of probability 0.8 is right eight times in ten.

Glossary: N named objects, K classes.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from ..naming.scores import TemperatureScaling, has_opinion

NUM_BINS = 15
# Between these, logarithmically, temperatures are looked for.
LEAST, LARGEST = 1e-2, 1e2


def expected_calibration_error(scores: ArrayLike, correct: ArrayLike) -> float:
    """Mean distance between scores and the share of right names among those of such a score.

    Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning"; bins
    of equal width as in Guo et al., "On Calibration of Modern Neural Networks".

    Args:
        scores: (N,) in [0, 1], of the name that was given.
        correct: (N,) whether it is right.

    Returns:
        In [0, 1]; nan of nothing.
    """
    scores, right = np.asarray(scores, float), np.asarray(correct, float)
    if not len(scores):
        return float('nan')
    bins = np.clip((scores * NUM_BINS).astype(int), 0, NUM_BINS - 1)
    gaps = np.bincount(bins, weights=right - scores, minlength=NUM_BINS)
    return float(np.abs(gaps).sum() / len(scores))


def fit_temperature(log_scores: Tensor, labels: Tensor) -> float:
    """The temperature of the least mean negative log-likelihood of the right names (N,).

    Log-scores (N, K + 1) are as :class:`~ovsam.naming.TemperatureScaling` takes.

    Raises:
        ValueError: There are no objects.
    """
    if not len(labels):
        raise ValueError('a temperature is fitted on named objects, but there are none')

    def loss(log_temperature: float) -> float:
        scaled = TemperatureScaling(float(np.exp(log_temperature)))(log_scores)
        return F.nll_loss(scaled, labels).item()

    found = minimize_scalar(loss, bounds=np.log([LEAST, LARGEST]), method='bounded')
    return float(np.exp(found.x))


def without_own_name(opinions: list[Tensor], labels: Tensor) -> list[Tensor]:
    """Opinions (N, K + 1) of the objects as if the vocabulary did not have each one's own name.

    It gets a logit that nothing exceeds but minus infinity, with which products would be nan. A
    row without an opinion stays as it is.
    """
    absent = F.one_hot(labels, opinions[0].shape[1]).bool()
    return [torch.where(absent & has_opinion(logits), -1e4, logits) for logits in opinions]
