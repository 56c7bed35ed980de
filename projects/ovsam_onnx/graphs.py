"""The graphs of an export, run by onnxruntime.

Glossary: N prompts, T tokens per prompt, M masks per prompt, R regions, E opinions, C channels.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .masks import averaged
from .prompts import Prompts

FORMAT = 'ovsam onnx 3'
CROPS_AT_ONCE = 16  # each takes the encoder as much memory as an image of its size


class Graphs:
    """The sessions of an export, and its ``settings``, which are in model.json.

    Args:
        folder: What ``ovsam export`` wrote.
        providers: Of onnxruntime, best first; its CPU if not given.
        threads: Of the CPU; if not given, what ``OMP_NUM_THREADS`` says, or one for each core.

    Raises:
        FileNotFoundError: A file is missing.
        ImportError: onnxruntime is not installed.
        ValueError: A file is of another kind, or of another export.
    """

    def __init__(
        self,
        folder: str | Path,
        providers: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._threads = threads
        self.settings = self._read_settings()
        names = ['encoder', 'decoder', 'regions']
        names += ['crops'] * bool(self.second_look) + ['zoomed'] * bool(self.zoomed_at_once)
        self._sessions = {
            name: self._session(name, list(providers or ['CPUExecutionProvider'])) for name in names
        }

    @property
    def second_look(self) -> dict[str, float] | None:
        """What is in doubt, and so looked at again; None if nothing is."""
        return self.settings['names']['second_look']

    @property
    def zoomed_at_once(self) -> int:
        """How many single answers are looked at again at once, larger; 0 if none are."""
        return self.settings['masks']['zoomed_at_once']

    def encode(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Features by name, of an image (1, 3, S, S), normalised and padded."""
        features = self._run('encoder', {'image': image})
        again = self.second_look or self.zoomed_at_once
        return features | {'image': image} if again else features

    def decode(
        self, features: dict[str, np.ndarray], prompts: Prompts
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Mask logits (N, M, h, w) and predicted IoU (N, M), if there is one.

        Args:
            features: Of :meth:`encode`.
            prompts: N > 0, in input pixels.
        """
        count, masks = len(prompts.coords), prompts.masks
        given = {
            'coords': prompts.coords,
            'labels': prompts.labels,
            'mask_input': self._mask_input(count, masks),
            'has_mask': np.full(count, masks is not None),
        }
        found = self._run('decoder', features | given)
        return found['masks'], found.get('quality')

    def zoom(
        self,
        features: dict[str, np.ndarray],
        prompts: Prompts,
        masks: np.ndarray,
        quality: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """What a zoomed pass makes of answers: logits (N, S, S), IoU (N,), embeddings (N, E, C).

        Args:
            features: Of :meth:`encode`.
            prompts: N, from one to :attr:`zoomed_at_once`, in input pixels.
            masks: (N, h, w) logits, of each the first answer.
            quality: (N,), the predicted IoU of it, if there is one.
        """
        given = {'coords': prompts.coords, 'labels': prompts.labels, 'masks': masks}
        found = self._run('zoomed', features | given | {'quality': quality})
        return found['zoomed_masks'], found.get('zoomed_quality'), found['embeddings']

    def embed(
        self, features: dict[str, np.ndarray], masks: np.ndarray, boxes: np.ndarray
    ) -> np.ndarray:
        """Embeddings (R, E, C) of regions, L2-normalised.

        Args:
            features: Of :meth:`encode`.
            masks: (R, h, w) logits, R > 0.
            boxes: (R, 4) that prompted them, in input pixels; zeros where none did.
        """
        return self._run('regions', features | {'masks': masks, 'boxes': boxes})['embeddings']

    def embed_crops(
        self, features: dict[str, np.ndarray], masks: np.ndarray, boxes: np.ndarray
    ) -> np.ndarray:
        """CLIP's embeddings (R, C) of regions cut out; arguments as of :meth:`embed`."""
        return self._run('crops', features | {'masks': masks, 'boxes': boxes})['embeddings']

    def _mask_input(self, count: int, masks: np.ndarray | None) -> np.ndarray:
        """Logits (N, 1, h, w) that may be a zoomed pass's, of the input's size; zeros of none."""
        side, whole = self.settings['masks']['size'], self.settings['image']['size']
        if masks is None:
            return np.zeros((count, 1, side, side), np.float32)
        if masks.shape[2:] not in ((side, side), (whole, whole)):
            raise ValueError(
                f'mask_input is {masks.shape[2]} x {masks.shape[3]}, expected {side} x {side}: '
                'pass the low_res_logits of an earlier prediction'
            )
        return averaged(masks[:, 0], (side, side))[:, None]

    def _run(self, name: str, values: Mapping[str, np.ndarray | None]) -> dict[str, np.ndarray]:
        session = self._sessions[name]
        outputs = [each.name for each in session.get_outputs()]
        inputs = {each.name: values[each.name] for each in session.get_inputs()}
        return dict(zip(outputs, session.run(outputs, inputs)))

    def _read_settings(self) -> dict[str, Any]:
        path = self.folder / 'model.json'
        if not path.is_file():
            raise FileNotFoundError(
                f'there is no {path}: give the folder that ovsam export CONFIG --out DIR wrote'
            )
        try:
            settings = json.loads(path.read_bytes())
        except ValueError as error:
            raise ValueError(f'{path} is broken: export the model again ({error})') from error
        if settings.get('format') != FORMAT:
            raise ValueError(
                f'{path} is of the format {settings.get("format")!r}, expected {FORMAT!r}: export '
                'the model with the version of ovsam that runs it'
            )
        return settings

    def _session(self, name: str, providers: list[str]) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                f'models without torch need onnxruntime ({error}): pip install onnxruntime'
            ) from error
        path = self.folder / f'{name}.onnx'
        if not path.is_file():
            raise FileNotFoundError(f'there is no {path}: export the model again')
        options = onnxruntime.SessionOptions()
        # onnxruntime does not read the variable that torch's threads go by; 0 is one for each core.
        told = os.environ.get('OMP_NUM_THREADS', '').split(',')[0]
        options.intra_op_num_threads = self._threads or (int(told) if told.isdecimal() else 0)
        options.log_severity_level = 3  # of fp16 it warns that it does not compute in advance
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # its own are of no other kind
            raise ValueError(f'{path} is broken: export the model again ({error})') from error
        found = session.get_modelmeta().custom_metadata_map.get('ovsam', 'none')
        expected = self.settings['fingerprint']
        if found != expected:
            raise ValueError(
                f'{path} is of another export ({found[:12]}) than model.json beside it '
                f'({expected[:12]}): keep the files of an export together, or export again'
            )
        return session
