"""Evaluation by clicks: a simulated user corrects every mask.

Glossary: B images, N prompts, T clicks.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample, SampleList
from mmengine.structures import InstanceData
from torch import Tensor

from ..masks.mask_iou import mask_ious
from ..masks.regions import postprocess_masks
from ..prompts.clicks import central_error_clicks, rescale_clicks
from ..prompts.prompts import Prompts
from ..segmenters.image_features import ImageFeatures
from ..segmenters.ovsam import OVSAM


@MODELS.register_module()
class ClickedOVSAM(OVSAM):
    """An OVSAM with a user who sees the truth and clicks in the middle of the largest error.

    The prompter's prompt counts as the first click; each later one comes with the mask logits of
    the answer before it.

    Args:
        num_clicks: Clicks T on each object.
        **kwargs: Of :class:`OVSAM`.
    """

    def __init__(self, num_clicks: int = 10, **kwargs) -> None:
        super().__init__(**kwargs)
        self.num_clicks = num_clicks

    @torch.no_grad()
    def predict(
        self,
        batch_inputs: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """Segment what the prompter points at, with corrections.

        Arguments as of the base class; ``gt_instances`` need masks. Of one that is empty there is
        no row.

        Returns:
            The samples; ``pred_instances`` have ``instance_index`` and ``click_ious`` (N, T), the
            IoU with the object after each click.
        """
        features = self.encode_image(batch_inputs)
        prompts = self.input_prompts(batch_data_samples, self.prompter, batch_inputs.device)
        for index, sample in enumerate(batch_data_samples):
            mine = prompts[prompts.image_index == index]
            drawn = torch.from_numpy(sample.gt_instances.masks.areas > 0).to(mine.device)
            mine = mine[drawn[mine.instance_index]]
            chunks = [
                self._converse(
                    features, mine[start : start + self.chunk_size], sample, batch_inputs.shape[-2:]
                )
                for start in range(0, len(mine), self.chunk_size)
            ]
            sample.pred_instances = InstanceData(
                instance_index=mine.instance_index,
                click_ious=torch.cat([mine.coords.new_zeros(0, self.num_clicks), *chunks]),
            )
        return batch_data_samples

    def _converse(
        self,
        features: ImageFeatures,
        prompts: Prompts,
        sample: DetDataSample,
        padded: tuple[int, int],
    ) -> Tensor:
        """IoU (N, T) of one image's prompts after each click."""
        masks = torch.from_numpy(sample.gt_instances.masks.to_ndarray()).bool()
        truth = masks.to(prompts.device)[prompts.instance_index]
        factor = prompts.coords.new_tensor(sample.metainfo.get('scale_factor', (1.0, 1.0)))
        ious = []
        for _ in range(self.num_clicks):
            low_res = self.segment_regions(features, prompts, padded[1])[0].low_res
            found = postprocess_masks(
                low_res[:, None], padded, sample.img_shape[:2], sample.ori_shape[:2]
            )[:, 0]
            ious.append(mask_ious(found, truth))
            points, labels = central_error_clicks(found, truth)
            points = rescale_clicks(points, factor)
            prompts = replace(prompts.with_points(points, labels), masks=low_res[:, None])
        return torch.stack(ious, dim=1)
