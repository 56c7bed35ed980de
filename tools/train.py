"""Train a config with mmengine's runner.

python tools/train.py configs/mini/clip.py
python tools/train.py CONFIG --resume            # go on from the last checkpoint
"""

import argparse
import sys

from mmengine.config import Config
from mmengine.device import get_device

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.engine.first_iteration import FirstIteration
from ovsam.engine.lost_process import explaining_lost_processes
from ovsam.engine.runner import build_runner
from ovsam.engine.runner_flags import runner_config, runner_parser
from ovsam.engine.starting_point import (
    last_training_state,
    require_fitting_weights,
    require_training_state,
)
from ovsam.utils.command_line import exit_status
from ovsam.utils.preflight import require_inputs


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser(__doc__)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='go on from this checkpoint, or the last whole one in the work dir',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision: float16 on a GPU, bfloat16 without',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the total batch size',
    )
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """The config file with the command line's changes in it."""
    cfg = runner_config(args)
    if cfg.get('train_dataloader') is None:
        raise ValueError(
            f'{args.config} has no training data (train_dataloader): give the config of a '
            'training, or try tools/test.py with this one'
        )
    if args.amp:
        if get_device() == 'mps':
            raise ValueError('--amp works on NVIDIA GPUs and on CPUs, not on mps: leave it out')
        if get_device() == 'cpu':
            cfg.optim_wrapper.update(type='BFloat16OptimWrapper')
        else:
            cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise ValueError(
                f'--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in '
                f'{args.config}, the batch size its learning rate was chosen for'
            )
        cfg.auto_scale_lr.enable = True
    if args.resume:
        # mmengine would resume from load_from too, which holds weights to start from.
        checkpoint = last_training_state(cfg.work_dir) if args.resume == 'auto' else args.resume
        if checkpoint:
            cfg.resume, cfg.load_from = True, checkpoint
    return cfg


def run(args: argparse.Namespace, first_iteration: FirstIteration) -> None:
    """Look at all that the training reads, then train."""
    cfg = load_config(args)
    if cfg.get('resume') and cfg.get('load_from'):
        require_training_state(cfg.load_from)
    require_inputs(cfg, 'train')
    with explaining_lost_processes(
        f'The same command with --resume goes on from the last checkpoint in {cfg.work_dir}.'
    ):
        runner = build_runner(cfg)
        if cfg.get('load_from'):
            require_fitting_weights(runner, cfg.load_from)
        runner.register_hook(first_iteration)
        runner.train()


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    first_iteration = FirstIteration()
    return exit_status(
        'train', run, parse_args(argv), first_iteration, unless=lambda: first_iteration.reached
    )


if __name__ == '__main__':
    sys.exit(main())
