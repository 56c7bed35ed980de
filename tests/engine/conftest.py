"""Trainings that take a second, and what they did."""

import itertools

import pytest
from mmengine.config import Config
from mmengine.dist import barrier
from mmengine.hooks import Hook

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.engine.runner import build_runner

RUNS = itertools.count()


class Recorder(Hook):
    """What is learned, after each step, and the loss of each."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.weights, self.losses = [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        model = getattr(runner.model, 'module', runner.model)
        self.weights.append(
            {
                name: value.detach().clone()
                for name, value in model.named_parameters()
                if value.requires_grad
            }
        )
        self.losses.append(outputs['loss'].item())


@pytest.fixture
def train():
    """Trains by a config with changes; returns the last checkpoint and a :class:`Recorder`."""

    def train(cfg, **changes):
        # It is written with every checkpoint, and formatting it takes seconds.
        cfg = Config(cfg.to_dict(), format_python_code=False)
        cfg.merge_from_dict(changes)
        # mmengine's records go by this name and by the second.
        cfg.experiment_name = f'tiny{next(RUNS)}'
        recorder = Recorder()
        runner = build_runner(cfg)
        runner.register_hook(recorder)
        runner.train()
        barrier()  # the first process has written the checkpoint
        last = cfg.train_cfg.max_iters
        return load_from_local(f'{cfg.work_dir}/iter_{last}.pth'), recorder

    return train
