"""What a training starts from, looked at before mmengine does so and only warns."""

from __future__ import annotations

from collections.abc import Mapping

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

from ..models.frozen_parts import FrozenParts
from ..utils.weights import load_file

# Beside weights; mmengine resumes from these.
_TRAINING_STATE = ('meta', 'optimizer', 'message_hub')


def require_training_state(checkpoint: str) -> None:
    """Make sure that a training can go on from a file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is truncated, or is not what a training saved.
    """
    content = CheckpointLoader.load_checkpoint(checkpoint, map_location='cpu', logger='silent')
    found = content.keys() if isinstance(content, Mapping) else ()
    lacking = [key for key in _TRAINING_STATE if key not in found]
    if lacking:
        raise ValueError(
            f'No training can go on from {checkpoint}, which has no {", ".join(lacking)}: expected '
            'a checkpoint that a training saved, such as work_dirs/CONFIG/iter_1000.pth. To start '
            f'a new training from its weights: --cfg-options load_from={checkpoint}')


def require_fitting_weights(runner: Runner, checkpoint: str) -> None:
    """Make sure that a file's weights are those of the model that is to start from them.

    Only of models of this project: one of mmdet may start from a detector of other classes, whose
    head has other shapes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is truncated, holds nothing for the model, or weights of other shapes.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if isinstance(model, FrozenParts):
        load_file(model, checkpoint)
