"""The parts of a distillation's config that its teacher's features depend on."""

from __future__ import annotations

import copy

from mmengine.config import Config

_LOADER = 'LoadTeacherFeatures'


class DistillationConfig:
    """What a live and a stored teacher have in common.

    Args:
        cfg: Its model has a ``teacher``, an image encoder or a ``StoredTeacher``.
        folder: Of the store; the one that the pipeline reads from if not given.

    Attributes:
        encoder: Config of the image encoder.
        data_preprocessor: Of the model.
        loader: Of the training, without its data set.
        dataset: Of the training, without stored features.
        folder: Of the store.

    Raises:
        ValueError: It has no teacher or no training data, or there is no folder.
    """

    def __init__(self, cfg: Config, folder: str | None = None) -> None:
        content = copy.deepcopy(cfg.to_dict())
        model, loader = content.get('model', {}), content.get('train_dataloader')
        if 'teacher' not in model or not loader:
            raise ValueError(
                f'{cfg.filename} trains no adapter on a teacher: give a config such '
                'as configs/sam2clip/sam2clip_RN50x16_stored.py'
            )
        folders: list[str] = []
        self.dataset = _without_features(loader.pop('dataset'), folders)
        if folder is None and not folders:
            raise ValueError(
                f'{cfg.filename} reads no stored features: name a folder for them with --out'
            )
        teacher = model['teacher']
        self.encoder = teacher['encoder'] if teacher['type'] == 'StoredTeacher' else teacher
        self.data_preprocessor, self.loader = model['data_preprocessor'], loader
        self.folder = folders[0] if folder is None else folder
        self._model, self._filename = model, cfg.filename

    def inputs(self) -> Config:
        """As much of the config as says what must be there before features are made."""
        return Config(
            dict(model=self.encoder, train_cfg=dict(), train_dataloader=dict(dataset=self.dataset)),
            filename=self._filename,
        )

    def student(self) -> Config:
        """The config's model with a stored teacher, for comparing it with the live one."""
        teacher = dict(type='StoredTeacher', encoder=self.encoder)
        return Config(dict(model=dict(self._model, teacher=teacher)))


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
