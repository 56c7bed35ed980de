"""Interactive use: encode an image once, then ask as often as you like.

Glossary: N prompts, P points per prompt, K names, k names reported, H x W the image.
Coordinates are pixels of the original image, x before y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmdet.datasets.transforms import PackDetInputs, Resize
from mmengine.config import Config
from numpy.typing import ArrayLike
from torch import Tensor

from ..models.mask_choice import AllGuesses
from ..models.mask_postprocess import low_res_mask_boxes, postprocess_masks, stability_score
from ..models.open_vocabulary_segmenter import OpenVocabularySegmenter
from ..models.promptable_segmenter import ImageFeatures, PromptableSegmenter
from ..prompts import Prompts
from ..utils.images import check_image, read_image
from ..vocabulary import Vocabulary, build_vocabulary
from .init_model import choose_device, init_model
from .prediction import Prediction
from .user_prompts import make_prompts


class EncodedImage(NamedTuple):
    """An image's features and its three sizes (height, width).

    ``original`` is resized to ``inner``, which lies in the corner of ``padded``, what models see.
    """

    features: ImageFeatures
    original: tuple[int, int]
    inner: tuple[int, int]
    padded: tuple[int, int]


class OVSAMPredictor:
    """Segments and names whatever is pointed at.

    ::

        predictor = OVSAMPredictor('mini', vocabulary=['cat', 'dog'])
        predictor.set_image('scene.png')
        found = predictor.predict(point_coords=[[120, 80]])
        found.labels, found.masks

    :meth:`set_image` is slow, :meth:`predict` is fast; neither prompts nor another vocabulary
    need another encoding of the image. A call that raises leaves everything as it was.

    Args:
        model: what :func:`~.init_model.init_model` takes, or a model that has been built.
        weights: of :func:`~.init_model.init_model`; not with a built model.
        vocabulary: of :meth:`set_vocabulary`; the model's own if not given.
        device: of :func:`~.init_model.init_model`; where a built model is, if not given.

    Raises:
        ValueError: the model cannot be prompted; and as :func:`~.init_model.init_model`.
    """

    def __init__(
        self,
        model: str | Path | Config | PromptableSegmenter = 'mini',
        weights: str | Path | None = None,
        vocabulary: Vocabulary | str | Path | list[str] | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            model = init_model(model, weights, device)
        elif weights is not None:
            raise ValueError('weights are for a model that is built from a config; load them '
                             'before you pass a built model')
        if not isinstance(model, PromptableSegmenter):
            raise ValueError(f'a {type(model).__name__} takes no prompts: use the config of an '
                             'OVSAM, a SAM or a crop baseline, for example mini/ovsam_box.py')
        self.model = (model if device is None else model.to(choose_device(device))).eval()
        self._trained_vocabulary = self.vocabulary
        self._image: EncodedImage | None = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The names in use; None for a model that does not name."""
        return getattr(self.model, 'vocabulary', None)

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the image that has been set; None if there is none."""
        return None if self._image is None else self._image.original

    def set_vocabulary(self, vocabulary: Vocabulary | str | Path | list[str]) -> None:
        """Name things from another vocabulary from now on.

        Args:
            vocabulary: names, names with commas between them, the name of a pack, a ``.txt`` or
                ``.json`` file, or whatever else :func:`~ovsam.vocabulary.build_vocabulary` takes.
                Unless it says which names were seen in training, those of the model's first
                vocabulary that were seen count as seen.

        Raises:
            FileNotFoundError: there is no such file.
            TypeError: a name is not a string.
            ValueError: there are no names, or one is empty or repeated; or the model does not
                name.
        """
        if not isinstance(self.model, OpenVocabularySegmenter):
            raise ValueError(f'{type(self.model).__name__} gives masks without names; choose the '
                             'config of an OVSAM')
        made = build_vocabulary(vocabulary)
        if not isinstance(vocabulary, Vocabulary) and made.seen.all():
            trained = self._trained_vocabulary
            labels = [trained.find(name) for name in made.names]
            made = made.with_seen([k is not None and bool(trained.seen[k]) for k in labels])
        self.model.set_vocabulary(made)

    @torch.no_grad()
    def set_image(self, image: str | Path | np.ndarray) -> None:
        """Encode an image.

        Args:
            image: path of a picture, or (H, W, 3) RGB uint8.

        Raises:
            FileNotFoundError: there is no such file.
            TypeError: it is neither path nor array.
            ValueError: it is not a picture, or has another shape or type.
        """
        rgb = read_image(image) if isinstance(image, (str, Path)) else check_image(image)
        batch = self._preprocess(rgb)
        inputs, (sample,) = batch['inputs'], batch['data_samples']
        self._image = EncodedImage(self.model.encode_image(inputs), rgb.shape[:2],
                                   tuple(sample.img_shape[:2]), tuple(inputs.shape[-2:]))

    def reset(self) -> None:
        """Forget the image and free its memory; the vocabulary stays."""
        self._image = None

    def predict(
        self,
        point_coords: ArrayLike | None = None,
        point_labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask_input: ArrayLike | None = None,
        multimask_output: bool = False,
        top_k: int = 5,
    ) -> Prediction:
        """Segment and name what one or many prompts point at.

        To correct a mask, add clicks to its prompt and pass its logits::

            first = predictor.predict([[120, 80]])
            better = predictor.predict([[120, 80], [150, 95]], [1, 0],
                                       mask_input=first.low_res_logits)

        Args:
            point_coords: (P, 2) the points (x, y) of one prompt, or (N, P, 2).
            point_labels: (P,) or (N, P): 1 on the object, 0 not on it, -1 no point (rows of
                different numbers of points are filled up with it); ones if not given.
            boxes: (4,) x1, y1, x2, y2, or (N, 4). With points as well, each prompt has both.
            mask_input: (h, w) or (N, h, w) the ``low_res_logits`` of earlier answers.
            multimask_output: several masks for each prompt (what it may mean: part, object,
                group), those of the best predicted IoU first; see ``prompt_index``.
            top_k: how many names to report; fewer if the vocabulary has fewer.

        Raises:
            RuntimeError: no image has been set.
            ValueError: a prompt is malformed or outside the image, ``mask_input`` is of another
                size, ``top_k`` is not positive, or several masks are wanted of a model that
                gives one.
        """
        return self.predict_prompts(make_prompts(point_coords, point_labels, boxes, mask_input),
                                    top_k, AllGuesses() if multimask_output else None)

    @torch.no_grad()
    def predict_prompts(self, prompts: Prompts, top_k: int = 5,
                        mask_choice: Callable | None = None) -> Prediction:
        """As :meth:`predict`, of a record of prompts in original pixels."""
        if self._image is None:
            raise RuntimeError('there is no image yet: call set_image first')
        if top_k < 1:
            raise ValueError(f'top_k must be positive; got {top_k}')
        prompts.check_inside([self._image.original])
        factors = [inner / original for inner, original in
                   zip(self._image.inner[::-1], self._image.original[::-1])]
        device = self._image.features.embedding.device
        prompts = prompts.to(device).scale(torch.tensor([factors], device=device))
        size = self.model.chunk_size
        # Without prompts there is one chunk of none, which gives columns of the right types.
        parts = [self._predict_chunk(prompts[start:start + size], top_k, mask_choice)
                 for start in range(0, max(len(prompts), 1), size)]
        found = Prediction.cat(parts)
        rows = len(found) // max(1, len(prompts))
        return replace(found, prompt_index=np.arange(len(prompts)).repeat(rows))

    def _predict_chunk(self, prompts: Prompts, top_k: int,
                       mask_choice: Callable | None) -> Prediction:
        image = self._image
        low_res, quality, log_scores = self.model.decode(
            image.features, prompts, image.padded[1], mask_choice)
        masks = self._original_masks(low_res)
        boxes = [low_res_mask_boxes(mask[None].float() - 0.5, 1.) for mask in masks]
        return Prediction(
            masks=masks.cpu().numpy(),
            boxes=torch.cat([low_res.new_zeros(0, 4), *boxes]).cpu().numpy(),
            quality=None if quality is None else quality.cpu().numpy(),
            stability=stability_score(low_res).cpu().numpy(),
            low_res_logits=low_res.cpu().numpy(),
            **({} if log_scores is None else self._names(log_scores, top_k)),
        )

    def _names(self, log_scores: Tensor, top_k: int) -> dict:
        """The naming columns of a prediction."""
        # The last column is the background's.
        best = log_scores[:, :-1].topk(min(top_k, len(self.vocabulary)), dim=1)
        names = [tuple(self.vocabulary.names[k] for k in row) for row in best.indices.tolist()]
        scores = best.values.exp().cpu().numpy()
        return {'labels': [row[0] for row in names], 'label_scores': scores[:, 0],
                'top_names': names, 'top_scores': scores}

    def _original_masks(self, low_res: Tensor) -> Tensor:
        """Bool (N, H, W) from logits (N, h, w) of the padded input."""
        image = self._image
        # One at a time: at the size of a large image, logits take a lot of memory.
        masks = [postprocess_masks(logits[None, None], image.padded, image.inner, image.original)
                 for logits in low_res]
        nothing = low_res.new_zeros(0, *image.original, dtype=torch.bool)
        return torch.cat([nothing, *(mask[:, 0] for mask in masks)])

    def _preprocess(self, rgb: np.ndarray) -> dict:
        """What the test pipelines of the configs and the model's data preprocessor make of it."""
        side = self.model.prompt_encoder.image_size
        height, width = rgb.shape[:2]
        if round(side * min(height, width) / max(height, width)) < 1:
            raise ValueError(f'the image is too narrow: {width} x {height} pixels would be resized '
                             f'to less than one pixel beside {side}; crop it')
        # Pipelines load images as BGR, which the data preprocessor then expects.
        results = {'img': np.ascontiguousarray(rgb[..., ::-1]), 'img_shape': (height, width),
                   'ori_shape': (height, width)}
        results = Resize(scale=(side, side), keep_ratio=True).transform(results)
        packed = PackDetInputs(meta_keys=('ori_shape', 'img_shape')).transform(results)
        batch = {'inputs': [packed['inputs']], 'data_samples': [packed['data_samples']]}
        return self.model.data_preprocessor(batch, training=False)
