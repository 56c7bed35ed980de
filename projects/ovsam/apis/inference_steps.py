"""What the inferencer does with one picture, and what a call of it depends on."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from tqdm import tqdm

from ovsam_onnx.images import inner_size

from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.digest import fingerprint
from ..utils.file_names import printable
from ..utils.files import write_whole
from ..utils.image_walk import list_images
from ..utils.images import jpeg, pixels_of
from ..utils.wording import reason_of
from ..version import __version__
from ..visualization import draw_segments
from .encoded_image import EncodedImage
from .image_jobs import ImageJob, export_names, result_names
from .prediction import UNNAMED, Prediction
from .predictor import OVSAMPredictor
from .prompt_sources import PromptFiles, PromptSource

OUT_OF_MEMORY = (MemoryError, torch.cuda.OutOfMemoryError)
# What makes an image a broken one, or too much for this machine, and not the program.
IMAGE_ERRORS = (ValueError, TypeError, OSError, *OUT_OF_MEMORY)


class InferenceSteps:
    """The steps of :class:`~.inferencer.OVSAMInferencer`, which calls them one after the other."""

    cfg: Config | None
    model: PromptableSegmenter
    predictor: OVSAMPredictor
    prompts: PromptSource
    show_progress: bool

    def _do(
        self,
        batch: list[ImageJob],
        top_k: int,
        pred_score_thr: float,
        preds: Path | None,
        common: str,
    ) -> None:
        """Give jobs their earlier result of the folder ``preds``, or a new one, or an error."""
        for job in batch:
            try:
                if preds:
                    only = str(pred_score_thr) if job.texts else ''
                    job.set_digest(common, self.prompts.fingerprint(job.file), only)
                if not (preds and job.resume(preds)):
                    size = self._pixels(job).shape[:2]
                    inner_size(size, self.model.prompt_encoder.image_size)
            except IMAGE_ERRORS as error:
                self._give_up(job, error)
        pending = [job for job in batch if job.found is None and not job.error]
        for job, image in self._encoded(pending):
            try:
                self.predictor.set_image(image)
                job.found = self._predict(job, top_k, pred_score_thr)
            except IMAGE_ERRORS as error:
                self._give_up(job, error)
        self.predictor.reset()

    def _jobs(
        self, inputs: Any, texts: str | Sequence | None, with_features: bool
    ) -> list[ImageJob]:
        images = list_images(inputs)
        with_features = with_features and bool(self.predictor.opinion_names)
        if texts is None or isinstance(texts, str):
            texts = [texts] * len(images)
        if len(texts) != len(images):
            raise ValueError(
                f'texts must be one string, or one for each of {len(images)} images; '
                f'got {len(texts)}'
            )
        asked = {
            text: self.predictor.check_texts(split_texts(text)).names
            for text in dict.fromkeys(texts)
            if text is not None
        }
        wanted = [asked.get(text) for text in texts]
        if isinstance(self.prompts, PromptFiles):
            self.prompts.expect(
                [Path(image) for image in images if not isinstance(image, np.ndarray)]
            )
        names = result_names(images)
        return [
            ImageJob(*each, with_features=with_features)
            for each in zip(images, names, wanted, export_names(images, names))
        ]

    def _names(self, jobs: Sequence[ImageJob]) -> tuple[str, ...]:
        """What objects may be called: what the predictor answers, and other texts."""
        if self.predictor.vocabulary is None:
            return (UNNAMED,)
        wanted = [text for job in jobs for text in job.texts or ()]
        return (*dict.fromkeys((*self.predictor.label_names, *wanted)),)

    def _encoded(self, jobs: list[ImageJob]) -> list[tuple[ImageJob, EncodedImage]]:
        """Images of one pass, or of a pass each where memory does not suffice; none of errors."""
        try:
            return list(zip(jobs, self.predictor.encode([self._pixels(job) for job in jobs])))
        except OUT_OF_MEMORY as error:
            if len(jobs) == 1:
                self._give_up(jobs[0], error)
                return []
        return [each for job in jobs for each in self._encoded([job])]

    def _predict(self, job: ImageJob, top_k: int, pred_score_thr: float) -> Prediction:
        found = self.prompts.segment(self.predictor, self._pixels(job), job.file)
        if job.texts is None:
            found = self.predictor.name(found, top_k)
        else:
            found = self.predictor.find(job.texts, pred_score_thr, top_k, among=found)
        if job.with_features:
            job.features = self.predictor.features_of(found)
        return found

    def _pixels(self, job: ImageJob) -> np.ndarray:
        if job.pixels is None:
            job.pixels = pixels_of(job.source)
        return job.pixels

    def _picture(
        self,
        job: ImageJob,
        draw_pred: bool,
        pred_score_thr: float,
        file: Path | None,
        *,
        returned: bool,
    ) -> np.ndarray | None:
        """The drawn result, in a file unless it is there already; None if nobody needs it."""
        drawn = [draw_pred, pred_score_thr]
        old = job.resumed and job.drawn == drawn and file is not None and file.is_file()
        file = None if old else file
        if job.error or not (returned or file):
            return None
        try:
            picture = self._draw(job, draw_pred, pred_score_thr)
        except OUT_OF_MEMORY as error:
            self._give_up(job, error)
            return None
        if file is not None:
            write_whole(file, jpeg(picture))
            job.saved = job.saved and job.drawn == drawn
            job.drawn = drawn
        return picture

    def _draw(self, job: ImageJob, draw_pred: bool, pred_score_thr: float) -> np.ndarray:
        found = job.result
        sure = np.full(len(found), draw_pred)
        if found.label_scores is not None:
            sure &= found.label_scores >= pred_score_thr
        found = found.select(sure)
        return draw_segments(self._pixels(job), found.masks, found.labels, found.label_scores)

    def _give_up(self, job: ImageJob, error: Exception) -> None:
        job.error = reason_of(error)
        self._report(f'left out {printable(title_of(job))}: {job.error}')

    def _report(self, line: str) -> None:
        if self.show_progress:
            tqdm.write(line, file=sys.stderr)


def settings_of(predictor: OVSAMPredictor, cfg: Config | None) -> dict[str, Any]:
    """What results of a predictor depend on, by name; what is large by its digest.

    Args:
        predictor: With its vocabulary.
        cfg: That its model was built from, if it is known.
    """
    model, vocabulary = predictor.model, predictor.vocabulary
    back_off, taught = predictor.back_off, predictor.taught_rows()
    return {
        'version': __version__,
        'model': type(model).__name__ if cfg is None else cfg.model.to_dict(),
        'weights': fingerprint(None, model.state_dict()),
        'vocabulary': fingerprint(None if vocabulary is None else vocabulary.to_dict()),
        'taught': fingerprint(None, taught) if taught else None,
        'back_off': back_off and back_off.fingerprint(),
        'everything': str(model.everything),
        'none_threshold': predictor.none_threshold,
    }


def keep_inputs(jobs: Sequence[ImageJob], drawn: Path | None) -> None:
    """Refuse to draw into a folder that pictures are from: they would be overwritten.

    Raises:
        ValueError: Drawn pictures would go there.
    """
    folders = {job.file.parent for job in jobs if job.file is not None}
    if drawn is not None and drawn.resolve() in [folder.resolve() for folder in folders]:
        raise ValueError(
            f'{drawn} has pictures to look at, which the drawn ones would overwrite: choose '
            'another folder to write to'
        )


def split_texts(text: str) -> tuple[str, ...]:
    """``'a red cat . a dog .'`` as its texts, as mmdet writes several."""
    parts = (part.strip() for part in re.split(r'(?:^|\s)\.(?:\s|$)|\.\s*$', text))
    return tuple(dict.fromkeys(part for part in parts if part))


def as_row(job: ImageJob, names: Sequence[str], *, as_sample: bool) -> Any:
    """A result by mmdet's names: a data sample, or what JSON can hold of it, and its features."""
    sample = job.result.to_data_sample(names)
    instances = sample.pred_instances
    if job.file is not None:
        sample.set_metainfo(dict(img_path=str(job.file)))
    if as_sample:
        for name, rows in (job.features or {}).items():
            instances[f'{name}_features'] = torch.from_numpy(rows)
        return sample
    row: dict[str, Any] = {
        'labels': instances.labels.tolist(),
        'scores': instances.scores.tolist(),
        'bboxes': instances.bboxes.tolist(),
        'masks': [annotation['segmentation'] for annotation in job.result.to_coco()],
        'label_names': [sample.classes[label] for label in instances.labels.tolist()],
    }
    if 'mask_scores' in instances:
        row['mask_scores'] = instances.mask_scores.tolist()
    return row if job.features is None else dict(row, features=job.features)


def title_of(job: ImageJob) -> str:
    """What users know a picture by."""
    return job.name if job.file is None else str(job.file)


def show_picture(picture: np.ndarray, title: str, wait_time: float) -> None:
    """Show a picture in a window, for so many seconds; 0 waits until it is closed."""
    import matplotlib.pyplot as plt  # slow, and most never look

    figure = plt.figure(title)
    figure.add_axes((0, 0, 1, 1)).imshow(picture)
    plt.show(block=not wait_time)
    if wait_time:
        plt.pause(wait_time)
    plt.close(figure)
