"""The parts of a distillation's config that its teacher's features depend on."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from mmengine.config import Config

_LOADER = 'LoadTeacherFeatures'


@dataclass
class DistillationConfig:
    """What a live and a stored teacher have in common, see :meth:`of`.

    Attributes:
        encoder: Config of the image encoder.
        data_preprocessor: Of the model.
        loader: Of the training, without its data set.
        dataset: Of the training, without stored features.
        folder: Of the store.
    """

    encoder: dict
    data_preprocessor: dict
    loader: dict
    dataset: dict
    folder: str

    @classmethod
    def of(cls, cfg: Config, folder: str | None = None) -> DistillationConfig:
        """Take a config apart.

        Args:
            cfg: Its model has a ``teacher``, an image encoder or a ``StoredTeacher``.
            folder: Of the store; the one that the pipeline reads from if not given.

        Raises:
            ValueError: It has no teacher or no training data, or there is no folder.
        """
        content = copy.deepcopy(cfg.to_dict())
        model, loader = content.get('model', {}), content.get('train_dataloader')
        if 'teacher' not in model or not loader:
            raise ValueError(
                f'{cfg.filename} trains no adapter on a teacher: give a config such '
                'as configs/sam2clip/sam2clip_RN50x16_stored.py'
            )
        teacher = model['teacher']
        folders: list[str] = []
        dataset = _without_features(loader.pop('dataset'), folders)
        if folder is None and not folders:
            raise ValueError(
                f'{cfg.filename} reads no stored features: name a folder for them with --out'
            )
        return cls(
            encoder=teacher['encoder'] if teacher['type'] == 'StoredTeacher' else teacher,
            data_preprocessor=model['data_preprocessor'],
            loader=loader,
            dataset=dataset,
            folder=folders[0] if folder is None else folder,
        )

    def inputs(self, cfg: Config) -> Config:
        """As much of a config as says what must be there before features are made."""
        return Config(
            dict(model=self.encoder, train_cfg=dict(), train_dataloader=dict(dataset=self.dataset)),
            filename=cfg.filename,
        )

    def student(self, cfg: Config) -> Config:
        """The config's model with a stored teacher, for comparing it with the live one."""
        model = cfg.to_dict()['model']
        model['teacher'] = dict(type='StoredTeacher', encoder=self.encoder)
        return Config(dict(model=model))


def _without_features(node, folders: list[str]):
    """A data set's config without transforms that load features; their folders are collected."""
    if isinstance(node, dict):
        return {key: _without_features(value, folders) for key, value in node.items()}
    if not isinstance(node, (list, tuple)):
        return node
    kept = []
    for item in node:
        if isinstance(item, dict) and item.get('type') == _LOADER:
            folders.append(item['folder'])
        else:
            kept.append(_without_features(item, folders))
    return type(node)(kept)
