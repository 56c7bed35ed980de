"""Region embeddings against the names of a bank.

Glossary: N regions, K names, C channels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .name_bank import NameBank

CLIP_LOGIT_SCALE = 4.6052  # log(100), where CLIP's trained temperature is clipped
PRECISIONS = {'float32': torch.float32, 'float16': torch.float16, 'bfloat16': torch.bfloat16}


@MODELS.register_module()
class OpenVocabularyClassifier(nn.Module):
    """Cosine similarity with each name's nearest row, and a background of logit 0.

    It learns nothing and holds no names. Source: OVSAM paper, section 3.3.

    Args:
        logit_scale: Logarithm of the factor on cosines.
        precision: What models keep the rows of names in, one of :data:`PRECISIONS`; products and
            sums are float32 in any case. docs/names-and-vocabularies.md has what each costs.

    Raises:
        ValueError: There is no such precision.
    """

    def __init__(self, logit_scale: float = CLIP_LOGIT_SCALE, precision: str = 'float32') -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision is {precision!r}: it must be one of {", ".join(PRECISIONS)}'
            )
        self.scale = math.exp(logit_scale)
        self.dtype = PRECISIONS[precision]

    def forward(self, regions: Tensor, bank: NameBank, columns: Tensor | None = None) -> Tensor:
        """Logits (N, K + 1) of L2-normalised regions (N, C); the last column is background.

        Args:
            regions: (N, C).
            bank: On the regions' device.
            columns: (K',) long, ascending: these names only, for (N, K' + 1).

        Raises:
            ValueError: The bank's C is not the regions'.
        """
        return F.pad(self.scale * bank.cosines(regions, columns), (0, 1))
