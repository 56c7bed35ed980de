"""Any detector in front of OVSAM: it says where objects are, OVSAM gives masks and names.

Glossary: B images, N detections, K names.
Detectors and files give boxes in original pixels, as mmdet has it; the segmenter brings them to the
pixels of its own input. Each network resizes and normalises the original image itself.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from mmcv.ops import batched_nms
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import SampleList
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor

from ..masks.regions import Regions
from ..prompts import Prompts
from ..segmenters.part_preprocessing import OriginalImages, PartPreprocessing
from ..vocabulary import Vocabulary, build_vocabulary
from .box_finder import BoxFinder
from .detection_naming import UNKNOWN
from .detector_names import DetectorNames
from .untrained_detector import UntrainedDetector


@MODELS.register_module()
class DetectorPromptedOVSAM(UntrainedDetector):
    """A detector's boxes as prompts of a segmenter; OVSAM paper, section 4, tables 3 and 4.

    An image costs one pass of the detector, one of the segmenter's image encoders and its decoder
    in chunks of prompts, however many boxes there are. Nothing is trained here; train the parts.

    ``pred_instances`` are mmdet's, best score first: ``bboxes`` (the detector's, original
    pixels), ``scores`` and ``labels`` (by the naming policy), ``masks`` (bool, original size), and
    ``mask_scores``, the scores times the predicted IoU, if the segmenter predicts it.

    Args:
        detector: Config of a detector of mmdet, or of :class:`DetectionsFromFile`.
        segmenter: Config of OVSAM or another
            :class:`~ovsam.segmenters.promptable_segmenter.PromptableSegmenter`.
        naming: Config of the naming policy, see :mod:`.detection_naming`; the detector's labels if
            not given.
        detector_pipeline: Test pipeline of the detector; nothing is resized if not given.
        detector_names: What the detector's labels mean, a vocabulary or what
            :func:`~ovsam.vocabulary.build_vocabulary` takes; the segmenter's names if not given.
            A detector that is told in text what to look for is told these names, and a file has
            its own.
        nms: Config of mmcv's ``batched_nms`` on the results of the same label, for policies that
            may give two boxes of one object the same name; none if not given. Soft suppression
            lowers ``scores`` and ``mask_scores``.
        data_preprocessor: What delivers the original images, an ``OriginalImages``.
        init_cfg: As in mmengine. A part's ``init_cfg`` loads the part; where it is given for a
            whole detector, the ``Pretrained`` ones of its own parts are not read.

    Attributes:
        detect: Gives the usable boxes of images, a :class:`~.box_finder.BoxFinder`.

    Raises:
        ValueError: The policy needs names that the detector or the segmenter does not have; or
            ``data_preprocessor`` delivers something else than original images.
    """

    def __init__(
        self,
        detector: dict,
        segmenter: dict,
        naming: dict | None = None,
        detector_pipeline: Sequence[dict] = (),
        detector_names: Vocabulary | str | Sequence[str] | dict | None = None,
        nms: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor or dict(type='OriginalImages'), init_cfg)
        if not isinstance(self.data_preprocessor, OriginalImages):
            raise ValueError(
                f'{type(self.data_preprocessor).__name__} changes the images before detector and '
                'segmenter, which prepare the originals themselves. mmengine gives a model the '
                'data_preprocessor at the top of its config: write '
                "model = dict(data_preprocessor=dict(type='OriginalImages'), ...)"
            )
        self.detector = MODELS.build(_without_inner_weights(detector))
        # An OVSAM asks for the prompter of its evaluation, which plays no part here.
        self.segmenter = MODELS.build({'prompter': dict(type='BoxPrompter'), **segmenter})
        self.naming = TASK_UTILS.build(naming or dict(type='DetectorLabel'))
        self.nms = nms
        if self.naming.needs_log_scores and not hasattr(self.segmenter, 'vocabulary'):
            raise ValueError(
                f'{type(self.naming).__name__} asks the segmenter for names, and it gives '
                'none: take an OVSAM, or naming=dict(type="DetectorLabel")'
            )
        self._own_names = None if detector_names is None else build_vocabulary(detector_names)
        names = DetectorNames(self.detector, self._own_names, self.vocabulary, self.naming)
        self.detect = BoxFinder(self.detector, detector_pipeline, names)
        side = self.segmenter.prompt_encoder.image_size
        self._segmenter_preprocessing = PartPreprocessing(
            [dict(type='Resize', scale=(side, side), keep_ratio=True)]
        )

    @property
    def vocabulary(self) -> Vocabulary | None:
        """What labels of results mean; None if neither part has names."""
        return getattr(self.segmenter, 'vocabulary', None) or self._own_names

    @torch.no_grad()
    def predict(
        self,
        batch_inputs: Sequence[Tensor],
        batch_data_samples: SampleList,
        rescale: bool = True,  # noqa: FBT001, FBT002 (mmdet's signature)
    ) -> SampleList:
        """The samples, each with ``pred_instances``, of original images (3, H, W) uint8 BGR.

        Results are at original size, whatever ``rescale`` is.
        """
        detections = self.detect(batch_inputs, batch_data_samples)
        results = self.segment(batch_inputs, batch_data_samples, detections)
        for sample, instances in zip(batch_data_samples, results):
            sample.pred_instances = instances
        return batch_data_samples

    def segment(
        self, images: Sequence[Tensor], samples: SampleList, detections: Sequence[InstanceData]
    ) -> list[InstanceData]:
        """Masks and names of detections as :attr:`detect` returns them; see the class."""
        results: list = [None] * len(images)
        for places, inputs, parts in self._segmenter_preprocessing(self.segmenter, images, samples):
            mine = [detections[place].to(inputs.device) for place in places]
            prompts = Prompts.cat(
                [
                    Prompts.from_boxes(
                        instances.bboxes,
                        image_index=torch.full_like(instances.labels, image),
                        instance_index=torch.arange(len(instances), device=inputs.device),
                    )
                    for image, instances in enumerate(mine)
                ]
            ).as_guessed()
            rows = self.segmenter.predict_prompts(inputs, parts, prompts, self._labeller(mine))
            for place, instances, row in zip(places, mine, rows):
                results[place] = self._finished(instances, row)
        return results

    def _labeller(self, detections: Sequence[InstanceData]):
        """What names a chunk's rows by the policy, see ``PromptableSegmenter.label_rows``."""
        counts = torch.tensor([0, *(len(instances) for instances in detections)])
        starts = counts.cumsum(0)
        labels = torch.cat([instances.labels for instances in detections])
        scores = torch.cat([instances.scores for instances in detections])

        def label(features, chunk: Prompts, regions: Regions) -> dict:
            mine = starts.to(labels.device)[chunk.image_index] + chunk.instance_index
            log_scores = None
            if self.naming.needs_log_scores:
                embeddings = self.segmenter.region_embeddings(features, regions)
                log_scores = self.segmenter.log_scores(embeddings)
            named = self.naming(labels[mine], scores[mine], log_scores)
            return dict(labels=named[0], scores=named[1].float())

        return label

    def _finished(self, detections: InstanceData, rows: InstanceData) -> InstanceData:
        """Rows with the detector's boxes, best first, one of each object if :attr:`nms` says so.

        Those that the policy leaves out are not among them.
        """
        found = rows[rows.labels != UNKNOWN]
        found.bboxes = detections.bboxes[found.pop('instance_index')]
        if self.nms is None or not len(found):
            return found[found.scores.argsort(descending=True, stable=True)]
        boxes, kept = batched_nms(found.bboxes, found.scores, found.labels, dict(self.nms))
        found, before = found[kept], found.scores[kept]
        found.scores = boxes[:, 4]  # soft suppression lowers them
        if 'mask_scores' in found:
            found.mask_scores *= found.scores / before.clamp(min=1e-12)
        return found


def _without_inner_weights(detector: dict) -> ConfigDict:
    """A detector's config whose parts do not load weights that the whole replaces."""
    weights = detector.get('init_cfg')
    stripped = dict(_strip(detector), init_cfg=weights) if weights else copy.deepcopy(detector)
    # mmdet's detectors read their test settings by attribute.
    return ConfigDict(stripped)


def _strip(node):
    if isinstance(node, dict):
        return {
            key: _strip(value)
            for key, value in node.items()
            if key != 'init_cfg' or not isinstance(value, dict) or value.get('type') != 'Pretrained'
        }
    return type(node)(map(_strip, node)) if isinstance(node, (list, tuple)) else node
