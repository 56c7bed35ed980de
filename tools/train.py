"""Train a config with mmengine's runner.

    python tools/train.py configs/mini/clip.py
    python tools/train.py CONFIG --resume            # go on from the last checkpoint
"""
import argparse
import sys

from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.engine.runner import build_runner
from ovsam.utils.command_line import exit_status, runner_config, runner_parser
from ovsam.utils.preflight import require_inputs


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser(__doc__)
    parser.add_argument('--resume', nargs='?', const='auto',
                        help='go on from this checkpoint, or from the last one in the work dir')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate with the total batch size')
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """The config file with the command line's changes in it."""
    cfg = runner_config(args)
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
    cfg = load_config(parse_args(argv))
    status = exit_status('train', require_inputs, cfg, 'train')
    if status == 0:
        build_runner(cfg).train()
    return status


if __name__ == '__main__':
    sys.exit(main())
