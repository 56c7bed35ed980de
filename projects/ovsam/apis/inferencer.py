"""Many images at once, with mmdet's names for it.

Glossary: B images of a batch, H x W an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import INFERENCERS
from tqdm import tqdm

from ovsam_onnx.one_image import in_unit

from ..segmenters.promptable_segmenter import PromptableSegmenter
from ..utils.digest import fingerprint
from ..utils.paths import DEFAULT_MODEL
from ..vocabulary import Vocabulary
from .exports import make_exports
from .inference_steps import (
    InferenceSteps,
    as_row,
    keep_inputs,
    settings_of,
    show_picture,
    title_of,
)
from .init_model import load_config
from .predictor import OVSAMPredictor
from .prompt_sources import EverythingPrompts, PromptFiles, PromptSource


@INFERENCERS.register_module()
class OVSAMInferencer(InferenceSteps):
    """Segments and names what is in images: a file, a folder, arrays.

    ::

        inferencer = OVSAMInferencer('mini', vocabulary='coco')
        inferencer('photos', out_dir='results')                     # everything
        inferencer('photos', out_dir='cats', texts='a red cat . a dog')

    Arguments are those of mmdet's ``DetInferencer``, and it is registered among mmengine's
    inferencers. An image that is broken, or too much for the memory, is reported and left out. With
    ``out_dir`` what is done stays done: images whose result is there, from the same image, prompts,
    names and model, are not computed again. A model is known by its config and weights, a built one
    by its weights.

    Args:
        model: What :class:`~.predictor.OVSAMPredictor` takes.
        weights: Likewise.
        device: Likewise.
        vocabulary: Likewise.
        prompts: Where to look: everywhere if not given; a file or folder of prompts, see
            :class:`~.prompt_sources.PromptFiles`; or a :class:`~.prompt_sources.PromptSource`.
        show_progress: Show a bar, what is left out, and how many images were done.
        precision: What :class:`~.predictor.OVSAMPredictor` takes.

    Raises:
        FileNotFoundError: There is no such config, checkpoint or file of prompts.
        ValueError: Of :class:`~.predictor.OVSAMPredictor` or :class:`~.prompt_sources.PromptFiles`.
    """

    def __init__(
        self,
        model: str | Path | Config | PromptableSegmenter = DEFAULT_MODEL,
        weights: str | Path | None = None,
        device: str | torch.device | None = None,
        vocabulary: Vocabulary | str | Path | list[str] | None = None,
        prompts: PromptSource | str | Path | None = None,
        show_progress: bool = True,
        precision: str | None = None,
    ) -> None:
        self.cfg = None
        if not isinstance(model, torch.nn.Module):
            model = self.cfg = load_config(model)
        if prompts is None:
            prompts = EverythingPrompts()
        self.prompts = PromptFiles(prompts) if isinstance(prompts, (str, Path)) else prompts
        self.predictor = OVSAMPredictor(model, weights, vocabulary, device, precision=precision)
        self.model = self.predictor.model
        self.show_progress = show_progress

    def __call__(
        self,
        inputs: str | Path | np.ndarray | Sequence,
        batch_size: int = 1,
        return_vis: bool = False,
        show: bool = False,
        wait_time: float = 0,
        no_save_vis: bool = False,
        draw_pred: bool = True,
        pred_score_thr: float = 0.3,
        return_datasamples: bool = False,
        print_result: bool = False,
        no_save_pred: bool = False,
        out_dir: str | Path = '',
        texts: str | Sequence | None = None,
        formats: Sequence[str] = ('coco',),
        top_k: int = 5,
        return_features: bool = False,
    ) -> dict:
        """Segment and name what is in the images.

        Args:
            inputs: A picture, a folder of pictures (without its folders), an (H, W, 3) RGB uint8
                array, or a list of pictures and arrays.
            batch_size: Images encoded in one pass.
            return_vis: Return the drawn pictures, too.
            show: Show each picture in a window.
            wait_time: For so many seconds; 0 until it is closed.
            no_save_vis: Write no pictures to ``out_dir/vis``.
            draw_pred: Draw masks and names into the pictures.
            pred_score_thr: Least score of a name for its mask to be drawn, and, with ``texts``,
                for it to count as found.
            return_datasamples: Return mmdet's ``DetDataSample`` in place of dicts.
            print_result: Print the results.
            no_save_pred: Write no results to ``out_dir/preds`` and in ``formats``. (In mmdet's
                inferencer this is so by default; here ``out_dir`` is enough.)
            out_dir: Where to write; nothing is written if not given.
            texts: Names to find, with `` . `` between several, for all images or for each one; see
                :meth:`OVSAMPredictor.find`. Whatever the prompts give is named from the
                vocabulary if not given.
            formats: Of :data:`~.exports.EXPORTS`, written to ``out_dir``.
            top_k: Names reported of each mask.
            return_features: Return what masks look like, too, and write it beside the results, as
                ``out_dir/preds/NAME.safetensors``: see :meth:`OVSAMPredictor.features_of`.

        Returns:
            A dict of lists with a row per input: ``predictions``, dicts of ``labels`` (numbers in
            the vocabulary, texts after it), ``label_names``, ``scores``, ``bboxes`` (xyxy),
            ``masks`` (RLE) and, if known, ``mask_scores``, or data samples; ``features`` of both,
            in data samples ``head_features`` and ``clip_features``, if asked for; and
            ``visualization``, RGB arrays, empty without ``return_vis``. Both have None for what
            is in ``failed``, a list of dicts of ``input`` and ``error``. ``resumed`` says how
            many results were there already.

        Raises:
            FileNotFoundError: There is no such file or folder.
            TypeError: An input is neither path nor array.
            ValueError: The folder has no images, or is the one that drawn pictures go to, an
                argument is out of its range, two images would have one result in a format or take
                one file of prompts, features are wanted of a model that does not name, or of
                :meth:`OVSAMPredictor.find`.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size must be positive; got {batch_size}')
        self.predictor.checked(top_k)
        in_unit('pred_score_thr', pred_score_thr)
        jobs = self._jobs(inputs, texts, return_features)
        names = self._names(jobs)
        folder = Path(out_dir) if str(out_dir) else None
        preds = None if no_save_pred or folder is None else folder / 'preds'
        vis = None if no_save_vis or folder is None else folder / 'vis'
        keep_inputs(jobs, vis)
        exports = make_exports(formats, folder or Path(), names)
        for export in exports if preds else ():
            export.expect([job.file_name for job in jobs])
        common = fingerprint([settings_of(self.predictor, self.cfg), top_k]) if preds else ''
        results: dict[str, Any] = dict(predictions=[], visualization=[], failed=[], resumed=0)
        with tqdm(
            total=len(jobs), desc='Inference', unit='image', disable=not self.show_progress
        ) as bar:
            for start in range(0, len(jobs), batch_size):
                batch = jobs[start : start + batch_size]
                self._do(batch, top_k, pred_score_thr, preds, common)
                for job in batch:
                    file = None if vis is None else vis / f'{job.name}.jpg'
                    picture = self._picture(
                        job, draw_pred, pred_score_thr, file, returned=return_vis or show
                    )
                    if return_vis:
                        results['visualization'].append(picture)
                    if show and picture is not None:
                        show_picture(picture, job.name, wait_time)
                    results['resumed'] += job.resumed
                    row = None
                    if job.error:
                        results['failed'].append({'input': title_of(job), 'error': job.error})
                    else:
                        row = as_row(job, names, as_sample=return_datasamples)
                        if preds and not job.saved:
                            job.save(preds)
                        for export in exports if preds else ():
                            export.add(job.entry, job.result)
                        if print_result:
                            print({title_of(job): row})
                    results['predictions'].append(row)
                    job.pixels = job.found = job.features = None
                bar.update(len(batch))
        for export in exports if preds else ():
            export.close()
        self._report(
            f'{len(jobs)} images: {len(jobs) - len(results["failed"])} done '
            f'({results["resumed"]} before), {len(results["failed"])} left out'
        )
        return results
