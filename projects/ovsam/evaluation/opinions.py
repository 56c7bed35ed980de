"""What a model thinks of annotated objects, before its opinions become one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from tqdm import tqdm

from ..segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter


@torch.no_grad()
def collect_opinions(
    model: OpenVocabularySegmenter, loader: Iterable
) -> tuple[list[Tensor], Tensor]:
    """Prompt for every annotated object of a data set, and compare it with all names.

    Args:
        model: In eval mode. The data set's labels are places in its vocabulary.
        loader: Of samples with ``gt_instances``.

    Returns:
        Logits (N, K + 1) of each opinion (OVSAM's head, then CLIP if scores are fused), and the
        true labels (N,).

    Raises:
        ValueError: There are no objects.
    """
    rows: list[tuple[Tensor, ...]] = []
    labels: list[Tensor] = []
    for data in tqdm(loader, 'validation'):
        data = model.data_preprocessor(data, training=False)
        inputs, samples = data['inputs'], data['data_samples']
        prompts = model.input_prompts(samples, model.prompter, inputs.device)
        if not len(prompts):
            continue
        features = model.encode_image(inputs)
        regions, _ = model.segment_regions(features, prompts, inputs.shape[-1])
        embeddings = model.region_embeddings(features, regions)
        rows.append(tuple(model.classify(each) for each in embeddings))
        labels += [
            samples[image].gt_instances.labels[index]
            for image, index in zip(prompts.image_index.tolist(), prompts.instance_index.tolist())
        ]
    if not rows:
        raise ValueError('there are no annotated objects in the validation data')
    opinions = [torch.cat(column) for column in zip(*rows)]
    return opinions, torch.stack(labels).to(opinions[0].device)
