"""Evaluate a config with mmengine's runner.

    python tools/test.py configs/mini/ovsam_box.py
    python tools/test.py CONFIG CHECKPOINT --out results.json --show-dir pictures
"""
import argparse
import json
import os
import sys
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='path of the config file')
    parser.add_argument('checkpoint', nargs='?', help="weights (the config's load_from)")
    parser.add_argument('--work-dir', help='logs (work_dirs/CONFIG)')
    parser.add_argument('--val', action='store_true',
                        help='evaluate on the validation data, where settings are chosen')
    parser.add_argument('--out', help='write the metrics to this JSON file')
    parser.add_argument('--show-dir', help='write a picture of each image to this folder')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='override config values, e.g. model.score_fusion.seen=0.5')
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
    if args.checkpoint:
        cfg.load_from = args.checkpoint
    if args.val:
        cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler'):
        cfg.pop(key, None)  # a test needs no data to train on
    if args.show_dir:
        cfg.custom_hooks = [*cfg.get('custom_hooks', []),
                            dict(type='DrawSegmentsHook', out_dir=args.show_dir)]
    return cfg


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    args = parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    metrics = Runner.from_cfg(load_config(args)).test()
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(json.dumps(metrics, indent=1) + '\n', encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
