"""Train a config with mmengine's runner.

    python tools/train.py configs/mini/clip.py
    python tools/train.py CONFIG --resume            # go on from the last checkpoint
"""
import argparse
import os
import sys
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.runner import Runner, find_latest_checkpoint

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('--work-dir', help='logs and checkpoints (work_dirs/CONFIG)')
    parser.add_argument('--resume', nargs='?', const='auto',
                        help='go on from this checkpoint, or from the last one in the work dir')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the total batch size')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override config values, e.g. train_cfg.max_iters=10')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'],
                        default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """The config file with the command line's changes in it."""
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or f'work_dirs/{Path(args.config).stem}'
    if args.amp:
        cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
    if args.auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise SystemExit(f'--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in '
                             f'{args.config}, the batch size its learning rate was chosen for.')
        cfg.auto_scale_lr.enable = True
    if args.resume:
        # mmengine would resume from load_from too, which holds weights to start from.
        checkpoint = (find_latest_checkpoint(cfg.work_dir) if args.resume == 'auto'
                      else args.resume)
        if checkpoint:
            cfg.resume, cfg.load_from = True, checkpoint
    return cfg


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    Runner.from_cfg(load_config(args)).train()
    return 0


if __name__ == '__main__':
    sys.exit(main())
