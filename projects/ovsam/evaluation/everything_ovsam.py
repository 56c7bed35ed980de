"""Evaluation of everything mode."""

from __future__ import annotations

from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from ..apis.predictor import OVSAMPredictor
from ..segmenters.ovsam import OVSAM
from ..utils.storage import read_stored_image


@MODELS.register_module()
class EverythingOVSAM(OVSAM):
    """An OVSAM that is asked for everything in an image, as :meth:`OVSAMPredictor.everything` is.

    Annotations are not looked at. Settings are those of ``everything`` (see :class:`OVSAM`);
    arguments are those of :class:`OVSAM`.
    """

    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Segment and name what there is.

        Images are read again from ``img_path``, for crops are cut from the image as it is; they
        are turned as annotations have them.

        Returns:
            The samples, ``pred_instances`` as of :meth:`~ovsam.apis.Prediction.to_data_sample`,
            labels counting the model's vocabulary.
        """
        predictor = OVSAMPredictor(self, none_threshold=0.0)
        for sample in batch_data_samples:
            predictor.set_image(read_stored_image(sample.img_path, tuple(sample.ori_shape[:2])))
            found = predictor.everything(top_k=1)
            sample.pred_instances = found.to_data_sample(self.vocabulary).pred_instances
        return batch_data_samples
