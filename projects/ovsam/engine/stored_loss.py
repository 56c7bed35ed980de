"""What storing a teacher's features changes in the distillation loss."""

from __future__ import annotations

import torch
from mmengine.config import Config

from ..apis.init_model import init_model
from ..datasets.teacher_features import image_name
from .distillation_config import DistillationConfig
from .feature_dump import FeatureDump


@torch.no_grad()
def compare_losses(dump: FeatureDump, cfg: Config, weights: str, count: int) -> str:
    """The mean losses of an adapter with a live and a stored teacher, and how far apart they are.

    Args:
        dump: Whose store has the features.
        cfg: Of the distillation.
        weights: Checkpoint of the adapter, trained: the smaller the loss, the more an error in
            the features counts.
        count: Images to compare on, the first of the dump's.

    Raises:
        FileNotFoundError: A record or a checkpoint is missing.
        ValueError: A record is damaged or foreign, or the checkpoint is of something else.
    """
    parts = DistillationConfig(cfg, dump.store.folder)
    student = init_model(parts.student(), weights, str(dump.device))
    teacher = dump.build_teacher()
    losses = []
    for inputs, samples in dump.batches(list(dump.names)[:count], 'compare'):
        for sample in samples:
            sample.teacher_features = dump.store.read(image_name(sample.img_path)).to(dump.device)
        embedding = student.encode_image(inputs).embedding
        targets = torch.stack([teacher(inputs), student.target(inputs, samples)])
        losses.append((embedding - targets).square().flatten(2).mean(2).cpu())
    both = torch.cat(losses, dim=1)
    live, stored = both.mean(dim=1).tolist()
    largest = (both[1] / both[0] - 1).abs().max().item()
    return (
        f'distillation loss of {both.shape[1]} images: {live:.6f} live, {stored:.6f} stored, '
        f'{abs(stored / live - 1):.3%} apart (one image at most {largest:.3%})'
    )
