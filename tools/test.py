"""Evaluate a config with mmengine's runner.

python tools/test.py configs/mini/ovsam_box.py
python tools/test.py CONFIG CHECKPOINT --out results.json --show-dir pictures
"""

import argparse
import os
import sys

from mmengine.config import Config

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis.prediction import UNNAMED
from ovsam.checkpoints.loading import load_weights
from ovsam.detectors.detector_names import num_classes
from ovsam.engine.first_iteration import FirstIteration
from ovsam.engine.lost_process import explaining_lost_processes
from ovsam.engine.runner import build_runner
from ovsam.engine.runner_flags import runner_config, runner_parser
from ovsam.engine.wrappers import plain_model
from ovsam.utils.command_line import exit_status
from ovsam.utils.files import require_writable, write_json
from ovsam.utils.preflight import require_inputs


def parse_args(argv=None) -> argparse.Namespace:
    """Read the command line."""
    parser = runner_parser(__doc__)
    parser.add_argument('checkpoint', nargs='?', help="weights (the config's load_from)")
    parser.add_argument(
        '--val',
        action='store_true',
        help='evaluate on the validation data, where settings are chosen',
    )
    parser.add_argument('--out', help='write the metrics to this JSON file')
    parser.add_argument('--show-dir', help='write a picture of each image to this folder')
    parser.add_argument(
        '--show-score-thr',
        type=float,
        default=0.0,
        metavar='SCORE',
        help='draw what has at least this score (%(default)s)',
    )
    parser.add_argument(
        '--dump-detections',
        metavar='FILE.json',
        help='write boxes, scores and labels, for DetectionsFromFile',
    )
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """The config file with the command line's changes in it."""
    cfg = runner_config(args)
    cfg.strategy = None  # sharding is for training
    if args.checkpoint:
        cfg.load_from = args.checkpoint
    kind = 'val' if args.val else 'test'
    if cfg.get(f'{kind}_dataloader') is None:
        raise ValueError(
            f'{args.config} has no {"validation" if args.val else "test"} data '
            f'({kind}_dataloader): give the config of an evaluation, such as base_box.py for '
            'photo/base.py'
        )
    for path in filter(None, (args.out, args.dump_detections)):
        require_writable(path)
    if args.val:
        cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
        cfg.test_cfg = cfg.get('test_cfg') or dict()
    if args.show_dir:
        os.makedirs(args.show_dir, exist_ok=True)
        cfg.custom_hooks = [
            *cfg.get('custom_hooks', []),
            dict(type='DrawSegmentsHook', out_dir=args.show_dir, score_thr=args.show_score_thr),
        ]
    if args.dump_detections:
        evaluators = cfg.test_evaluator
        evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
        told = [each.get('prediction_classes') for each in evaluators]
        classes = next((each for each in told if each is not None), None)
        dump = dict(type='DumpDetections', out_file_path=args.dump_detections, classes=classes)
        cfg.test_evaluator = [*evaluators, dump]
    return cfg


def run(args: argparse.Namespace, first_iteration: FirstIteration) -> None:
    """Build, load all weights or fail, evaluate, write."""
    cfg = load_config(args)
    require_inputs(cfg, 'test')
    # The runner would only warn of weights that a file lacks.
    checkpoint, cfg.load_from = cfg.get('load_from'), None
    runner = build_runner(cfg)
    model = plain_model(runner.model)
    load_weights(model, checkpoint)
    if args.dump_detections and num_classes(model) == 1:
        *_, dump = runner.test_evaluator.metrics
        if len(dump.dataset_meta.get('classes', ())) > 1:  # which the detector does not tell apart
            dump.prediction_classes = (UNNAMED,)
    model.is_init = True
    runner.register_hook(first_iteration)
    with explaining_lost_processes('Run the same command again.'):
        metrics = runner.test()
    if args.out:
        write_json(args.out, metrics, indent=1)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    first_iteration = FirstIteration()
    return exit_status(
        'test', run, parse_args(argv), first_iteration, unless=lambda: first_iteration.reached
    )


if __name__ == '__main__':
    sys.exit(main())
