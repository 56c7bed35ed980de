"""Segments and names what is in the images of a share."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from ..apis.encoded_image import check_sides
from ..apis.inferencer import IMAGE_ERRORS
from ..apis.prediction import Prediction
from ..apis.predictor import OVSAMPredictor
from ..apis.prompt_sources import PromptSource
from ..utils.digest import tensor_digest
from ..utils.file_names import printable
from ..utils.images import read_image
from ..version import __version__
from .image_source import ImageSource
from .shares import Share

# What leaves an image out: it is broken, or too much for this machine.
LEAVES_OUT = (*IMAGE_ERRORS, MemoryError, torch.cuda.OutOfMemoryError)


class Annotator:
    """An image file as a record with COCO annotations.

    Args:
        predictor: with its vocabulary.
        prompts: where to look.
        threshold: least score of a name for its mask to be kept, in [0, 1].
        top_k: names of each mask.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        predictor: OVSAMPredictor,
        prompts: PromptSource,
        threshold: float = 0.0,
        top_k: int = 1,
    ) -> None:
        if top_k < 1:
            raise ValueError(f'top_k must be positive; got {top_k}')
        if not 0 <= threshold <= 1:
            raise ValueError(f'threshold must be in [0, 1]; got {threshold}')
        self._predictor = predictor
        self._prompts = prompts
        self._threshold = threshold
        self._top_k = top_k

    def __call__(self, file: Path) -> dict:
        """``height``, ``width`` and ``annotations`` of an image.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not a picture, or too narrow.
        """
        pixels = read_image(file)
        check_sides(pixels.shape[:2], self._predictor.model.prompt_encoder.image_size)
        self._predictor.set_image(pixels)
        try:
            found = self._prompts.segment(self._predictor, pixels, file)
            found = self._kept(self._predictor.name(found, self._top_k))
        finally:
            self._predictor.reset()
        return {'height': pixels.shape[0], 'width': pixels.shape[1], 'annotations': found.to_coco()}

    def settings(self, cfg: Config) -> dict[str, Any]:
        """What results depend on, by name; what is large by its digest.

        Args:
            cfg: that the predictor's model was built from.
        """
        model, vocabulary = self._predictor.model, self._predictor.vocabulary
        return {
            'version': __version__,
            'model': cfg.model.to_dict(),
            'weights': tensor_digest(model.state_dict()),
            'vocabulary': _digest(None if vocabulary is None else vocabulary.to_dict()),
            'prompts': self._prompts.fingerprint(None),
            'everything': str(model.everything),
            'none_threshold': self._predictor.none_threshold,
            'threshold': self._threshold,
            'top_k': self._top_k,
        }

    def _kept(self, found: Prediction) -> Prediction:
        if found.label_scores is None:
            return found
        return found.select(found.label_scores >= self._threshold)


def annotate_share(
    share: Share,
    annotate: Callable[[Path], dict],
    source: ImageSource,
    max_tries: int,
    report: Callable[[str], None],
    progress: Callable[[Share], None],
) -> None:
    """Do the images of a share that are not done yet.

    Args:
        share: of a job.
        annotate: gives the record of an image file.
        source: of the images.
        max_tries: an image at which so many processes ended is left out.
        report: called with a line for each image that is left out.
        progress: called after each image.

    Raises:
        ClaimLost: the share is somebody else's, or done.
        FileNotFoundError: the folder of the images has gone.
        OSError: results cannot be written.
    """
    for image, name in list(share.pending()):
        file, deaths = source.root / name, share.deaths[image]
        if deaths >= max_tries:
            record = {
                'error': f'{deaths} processes ended at it: killed, out of memory, or by an '
                'error of the program',
                'set_aside': True,
            }
        else:
            record = _try(annotate, file, source, share)
        if 'error' in record:
            report(f'left out {printable(str(file))}: {record["error"]}')
        share.add(image, record)
        progress(share)
    share.finish()


def _try(
    annotate: Callable[[Path], dict], file: Path, source: ImageSource, share: Share
) -> dict[str, Any]:
    """An image's record, or what is wrong with it."""
    try:
        return annotate(file)
    except LEAVES_OUT as error:
        if isinstance(error, FileNotFoundError):
            _require_root(source)
        return {'error': ' '.join(str(error).split()) or type(error).__name__}
    except Exception:
        share.claim.fail()
        raise


def _require_root(source: ImageSource) -> None:
    """A disk that has gone is no reason to leave out all that was on it."""
    try:
        with os.scandir(source.root) as entries:
            if any(True for _ in entries):
                return
    except OSError:
        pass
    raise FileNotFoundError(
        f'{source.root}, where the images were, is not there any more or is '
        'empty: put it back and run the same command again, which goes on from '
        'here'
    )


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
