"""Scores of names made into probabilities that can be trusted.

Glossary: N regions, K classes.
"""

from __future__ import annotations

from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class TemperatureScaling(nn.Module):
    """Divides log-scores by a temperature and normalises over all names and the background.

    Which name is likeliest stays as it was; how likely it is becomes right on average. Scores of
    seen and of unseen names, which :class:`~.score_fusion.GeometricFusion` weights differently and
    does not normalise, become shares of one whole. Source: Guo et al., "On Calibration of Modern
    Neural Networks", section 4.2. ``tools/calibrate.py`` fits the temperature.

    Args:
        temperature: Above 1 for a model that is too sure of itself, below 1 for one that is not
            sure enough.

    Raises:
        ValueError: It is not positive.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f'the temperature is {temperature}, but must be positive')
        self.temperature = temperature

    def forward(self, log_scores: Tensor) -> Tensor:
        """Logarithms of probabilities (N, K + 1), of log-scores (N, K + 1), background last."""
        return (log_scores / self.temperature).log_softmax(dim=-1)
