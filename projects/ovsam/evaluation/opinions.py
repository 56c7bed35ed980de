"""What a model thinks of annotated objects, before its opinions become one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from ..losses.mask_targets import region_targets
from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter


def validation_data(cfg: Config) -> dict:
    """Config of the loader of a config's validation data.

    Raises:
        ValueError: It has none.
    """
    if cfg.get('val_dataloader') is None:
        raise ValueError(
            f'{cfg.filename} has no validation data (val_dataloader): give the config of an '
            'evaluation, such as base_box.py for photo/base.py'
        )
    return cfg.val_dataloader


def training_loader(
    cfg: Config, ann_file: str, folder: str, limit: int | None = None
) -> DataLoader:
    """The loader of a config's validation data, of training data instead.

    Args:
        cfg: As of :func:`validation_data`.
        ann_file: Of the training data, below the validation data's ``data_root``.
        folder: Of its images, likewise.
        limit: How many images; all if not given.
    """
    scenes = dict(ann_file=ann_file, data_prefix=dict(img=folder), indices=limit)
    loader = validation_data(cfg)
    if 'held_out' in loader['dataset']:  # of the same file
        scenes['held_out'] = False
    return Runner.build_dataloader(dict(loader, dataset=dict(loader['dataset'], **scenes)))


@torch.no_grad()
def collect_embeddings(model: OpenVocabularySegmenter, loader: Iterable) -> tuple[Tensor, Tensor]:
    """Prompt for every annotated object of a data set.

    Args:
        model: In eval mode.
        loader: Of samples with ``gt_instances``, whose labels are places among the classes of its
            ``dataset``; if it has none, in the model's vocabulary.

    Returns:
        Region embeddings (N, E, C) of each opinion (OVSAM's head, then CLIP if scores are fused),
        and the true labels (N,), places in the model's vocabulary.

    Raises:
        ValueError: There are no objects, or the vocabulary lacks a class of the data.
    """
    dataset = getattr(loader, 'dataset', None)
    names = model.vocabulary.names if dataset is None else dataset.metainfo['classes']
    places = torch.from_numpy(model.vocabulary.label_map(names))
    rows: list[Tensor] = []
    labels: list[Tensor] = []
    for data in tqdm(loader, 'objects'):
        data = model.data_preprocessor(data, training=False)
        inputs, samples = data['inputs'], data['data_samples']
        prompts = model.input_prompts(samples, model.prompter, inputs.device)
        if not len(prompts):
            continue
        features = model.encode_image(inputs)
        regions, _ = model.segment_regions(features, prompts, inputs.shape[-1])
        rows.append(torch.stack(model.region_embeddings(features, regions), dim=1))
        labels.append(region_targets(samples, prompts)[1])
    if not rows:
        raise ValueError('there are no annotated objects in the data')
    return torch.cat(rows), places[torch.cat(labels).cpu()].to(rows[0].device)


@torch.no_grad()
def collect_opinions(
    model: OpenVocabularySegmenter, loader: Iterable
) -> tuple[list[Tensor], Tensor]:
    """The same, compared with all names: logits (N, K + 1) of each opinion, and labels (N,).

    All are on the CPU, where the vocabulary says which names are seen.
    """
    embeddings, labels = collect_embeddings(model, loader)
    return [model.classify(each).cpu() for each in embeddings.unbind(dim=1)], labels.cpu()
