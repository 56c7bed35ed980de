"""What storing a teacher's features changes in the distillation loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from mmengine.config import Config
from torch import Tensor

from ..apis.init_model import init_model
from ..datasets.teacher_features import image_name
from .distillation_config import DistillationConfig
from .feature_dump import FeatureDump


@dataclass
class StoredLoss:
    """The distillation loss with a live and with a stored teacher, (N,) of N images each."""

    live: Tensor
    stored: Tensor

    def __str__(self) -> str:
        """The mean losses and their relative difference, in one line."""
        live, stored = self.live.mean().item(), self.stored.mean().item()
        largest = (self.stored / self.live - 1).abs().max().item()
        return (
            f'distillation loss of {len(self.live)} images: {live:.6f} live, {stored:.6f} '
            f'stored, {abs(stored / live - 1):.3%} apart (one image at most {largest:.3%})'
        )


@torch.no_grad()
def compare_losses(
    dump: FeatureDump, cfg: Config, weights: str, count: int, *, progress: bool = True
) -> StoredLoss:
    """Measure both losses of a trained adapter.

    Args:
        dump: Whose store has the features.
        cfg: Of the distillation.
        weights: Checkpoint of the adapter, trained: the smaller the loss, the more an error in
            the features counts.
        count: Images.
        progress: Whether to show a bar.

    Raises:
        FileNotFoundError: A record or a checkpoint is missing.
        ValueError: A record is damaged or foreign, or the checkpoint is of something else.
    """
    parts = DistillationConfig.of(cfg, dump.store.folder)
    student = init_model(parts.student(cfg), weights, str(dump.device))
    teacher = dump.build_teacher()
    live, stored = [], []
    for inputs, samples in dump.batches(list(dump.names)[:count], 'compare', progress=progress):
        for sample in samples:
            sample.teacher_features = dump.store.read(image_name(sample.img_path)).to(dump.device)
        embedding = student.encode_image(inputs).embedding
        live.append(_losses(embedding, teacher(inputs)))
        stored.append(_losses(embedding, student.target(inputs, samples)))
    return StoredLoss(torch.cat(live), torch.cat(stored))


def _losses(embedding: Tensor, target: Tensor) -> Tensor:
    return (embedding - target).square().flatten(1).mean(1).cpu()
