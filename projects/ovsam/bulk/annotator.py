"""Segments and names what is in an image file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovsam_onnx.one_image import in_unit

from ..apis.flags import detector_of
from ..apis.inference_steps import settings_of
from ..apis.init_model import load_config
from ..apis.prediction import Prediction
from ..apis.predictor import OVSAMPredictor
from ..apis.prompt_sources import EverythingPrompts, PromptSource
from ..utils.images import read_image


class Annotator:
    """An image file as a record with COCO annotations.

    Args:
        predictor: With its vocabulary.
        prompts: Where to look.
        threshold: Least score of a name for its mask to be kept, in [0, 1].
        top_k: Names of each mask.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        predictor: OVSAMPredictor,
        prompts: PromptSource,
        threshold: float = 0.0,
        top_k: int = 1,
    ) -> None:
        predictor.checked(top_k)
        self.predictor = predictor
        self._prompts = prompts
        self._threshold = in_unit('threshold', threshold)
        self._top_k = top_k

    @classmethod
    def of_flags(cls, args: argparse.Namespace) -> tuple[Annotator, dict[str, Any]]:
        """What the flags of ``ovsam annotate`` ask for, and its settings."""
        cfg = load_config(args.model)
        prompts = detector_of(args, args.device) or EverythingPrompts()
        predictor = OVSAMPredictor(cfg, args.weights, args.vocabulary, args.device)
        annotator = cls(predictor, prompts, args.threshold, args.top_k)
        return annotator, annotator.settings(cfg)

    def __call__(self, file: Path) -> dict:
        """``height``, ``width`` and ``annotations`` of an image.

        Raises:
            OSError: It cannot be read.
            ValueError: It is not a picture, or too narrow.
        """
        pixels = read_image(file)
        self.predictor.set_image(pixels)
        try:
            found = self._prompts.segment(self.predictor, pixels, file)
            found = self._kept(self.predictor.name(found, self._top_k))
        finally:
            self.predictor.reset()
        return {'height': pixels.shape[0], 'width': pixels.shape[1], 'annotations': found.to_coco()}

    def settings(self, cfg: Config) -> dict[str, Any]:
        """What results depend on, by name, with the config that the model was built from."""
        return {
            **settings_of(self.predictor, cfg),
            'prompts': self._prompts.fingerprint(None),
            'threshold': self._threshold,
            'top_k': self._top_k,
        }

    def _kept(self, found: Prediction) -> Prediction:
        if found.label_scores is None:
            return found
        return found.select(found.label_scores >= self._threshold)
