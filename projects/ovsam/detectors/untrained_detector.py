"""What detectors have in common that learn nothing, or put together what others have learned."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.detectors.base import BaseDetector
from mmdet.structures import SampleList
from torch import Tensor


class UntrainedDetector(BaseDetector):
    """A detector of mmdet that predicts, and neither learns nor has features of its own."""

    def extract_feat(self, batch_inputs: Sequence[Tensor]):
        """There are none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f'{type(self).__name__} has no features of its own')

    def loss(self, batch_inputs: Sequence[Tensor], batch_data_samples: SampleList) -> dict:
        """There is none.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            f'{type(self).__name__} does not learn: use tools/test.py; parts of it that learn are '
            'trained apart, each by its own config'
        )

    def _forward(self, batch_inputs: Sequence[Tensor], batch_data_samples: SampleList) -> list:
        """The detections of each image."""
        return [sample.pred_instances for sample in self.predict(batch_inputs, batch_data_samples)]
