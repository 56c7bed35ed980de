"""SAM's embeddings from a store, in place of SAM's image encoder.

Glossary: B images, C channels, h x w the embedding's size, H x W the input's.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.model import BaseModule
from torch import Tensor

from ..checkpoints.loading import read_state_dict
from ..datasets.feature_store import REDO
from ..datasets.teacher_features import ForeignFeaturesError
from ..utils.digest import fingerprint


@MODELS.register_module()
class StoredTeacher(BaseModule):
    """What an image encoder gave when ``tools/dump_sam_features.py`` ran it on the same images.

    The encoder is not built: it is there to be compared with what each record says of itself. The
    pipeline of the data set ends in ``LoadTeacherFeatures``.

    Args:
        encoder: Config of the image encoder, with weights in ``init_cfg``.
    """

    def __init__(self, encoder: dict):
        super().__init__()
        self.encoder = encoder
        self._identity: dict[str, str] | None = None

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> Tensor:
        """The stored embeddings (B, C, h, w): the samples' ``teacher_features``.

        Raises:
            ValueError: A sample has none, or they are of another teacher or another input.
            FileNotFoundError: The encoder's checkpoint is missing, which tells its weights.
        """
        if self._identity is None:
            self._identity = teacher_identity(self.encoder)
        embeddings = []
        for image_input, sample in zip(batch_inputs, batch_data_samples):
            features = sample.get('teacher_features')
            if features is None:
                raise ValueError(
                    "a sample has no teacher features: end the data set's pipeline "
                    "with dict(type='LoadTeacherFeatures', folder=...)"
                )
            try:
                features.check_teacher(self._identity)
                features.check_input(image_input)
            except ForeignFeaturesError as error:
                raise ForeignFeaturesError(
                    f'the stored teacher features of {features.image} are {error}. Either change '
                    f'the config back, or {REDO}.'
                ) from error
            embeddings.append(features.embedding())
        return torch.stack(embeddings)


def teacher_identity(encoder: Mapping) -> dict[str, str]:
    """What tells one image encoder with its weights from others, without building it.

    Args:
        encoder: Its config, with one ``init_cfg`` of type ``Pretrained``.

    Returns:
        ``type``, and SHA-256 of ``config`` (all but ``init_cfg``) and of ``weights``.

    Raises:
        ValueError: There is no such ``init_cfg``, or nothing in its file has its prefix.
        FileNotFoundError: There is no such file.
    """
    init_cfg = encoder.get('init_cfg') or {}
    if not isinstance(init_cfg, Mapping) or init_cfg.get('type') != 'Pretrained':
        raise ValueError(
            "the teacher's config has no init_cfg of type 'Pretrained': features of "
            'random weights teach nothing'
        )
    path, prefix = str(init_cfg['checkpoint']), init_cfg.get('prefix') or ''
    weights = {
        key[len(prefix) :]: value
        for key, value in read_state_dict(path).items()
        if key.startswith(prefix)
    }
    if not weights:
        raise ValueError(
            f'{path} has no weights with the prefix {prefix!r}, which the teacher is to have'
        )
    settings = {key: value for key, value in encoder.items() if key != 'init_cfg'}
    sums = dict(config=fingerprint(settings)[:16], weights=fingerprint(None, weights)[:16])
    return dict(type=str(encoder['type']), **sums)
