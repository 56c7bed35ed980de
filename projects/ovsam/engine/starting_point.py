"""What a training starts from, looked at before mmengine does so and only warns."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from mmdet.registry import MODELS
from mmengine.logging import print_log
from mmengine.runner import FlexibleRunner, Runner, find_latest_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from ..checkpoints.loading import load_file
from ..segmenters.frozen_parts import FrozenParts
from .wrappers import plain_model

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
            f'a new training from its weights: --cfg-options load_from={checkpoint}'
        )


def last_training_state(work_dir: str) -> str | None:
    """The newest checkpoint of a training that is whole; None if it has not saved any.

    A machine that went down or a full disk may leave the newest one truncated, or without its
    name in ``last_checkpoint``. It is passed over with a warning for the one before it.

    Raises:
        ValueError: There are checkpoints, but none is whole.
    """
    named = find_latest_checkpoint(work_dir)
    found = sorted(
        (path for kind in ('iter', 'epoch') for path in Path(work_dir).glob(f'{kind}_*.pth')),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    candidates = dict.fromkeys([*([named] if named else []), *map(str, found)])
    faults = []
    for path in candidates:
        try:
            require_training_state(path)
        except (FileNotFoundError, ValueError) as error:
            faults.append(str(error))
            print_log(f'passed over: {error}', 'current', logging.WARNING)
            continue
        return path
    if faults:
        raise ValueError(
            f'No training can go on in {os.path.abspath(work_dir)}, none of whose '
            f'{len(faults)} checkpoints is whole: expected one that --resume can start from. '
            f'Start anew with another --work-dir. The newest: {faults[0]}'
        )
    return None


def require_fitting_weights(runner: Runner | FlexibleRunner, checkpoint: str) -> None:
    """Make sure that a file's weights are those of the model that is to start from them.

    Only of models of this project: one of mmdet may start from a detector of other classes, whose
    head has other shapes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is truncated, holds nothing for the model, or weights of other shapes.
    """
    model = plain_model(runner.model)
    if isinstance(model, Mapping):  # a FlexibleRunner builds its model when it trains
        model = MODELS.build(model)
    if isinstance(model, FrozenParts):
        load_file(model, checkpoint)
