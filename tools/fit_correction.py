r"""Fit what is added to the frozen tower's feature of a region, on objects of seen names.

    python tools/fit_correction.py configs/photo/base_box.py \
        --train annotations/instances_train2017.json train2017/ --out work_dirs/correction.pth
    python tools/export_checkpoint.py --out checkpoints/photo/correction_base.pth \
        work_dirs/correction.pth

A logistic regression on the tower's features, which takes seconds once they are collected
(ovsam.parts.photographs.LinearCorrection). For configs whose label head has a ``correction``.
Where data have other names than the model, say which:
``--cfg-options val_dataloader.dataset.vocabulary=coco`` of configs/photo/all_box.py.
"""

from __future__ import annotations

import argparse
import sys

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.engine.runner_flags import add_config_options, fitting_parser
from ovsam.evaluation.opinions import collect_embeddings, training_loader
from ovsam.naming.scores import GeometricFusion
from ovsam.parts.photographs import LinearCorrection
from ovsam.utils.command_line import exit_status
from ovsam.utils.files import require_writable, whole_file


def fit(args: argparse.Namespace) -> None:
    """Collect, fit, write, print."""
    require_writable(args.out)
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.default_scope)
    settings = cfg.model.get('label_head', {}).pop('correction', None)  # not fitted yet
    if settings is None:
        raise ValueError(
            f'the label head of {args.config} has no correction: there is nothing to fit; that of '
            'configs/photo/base_box.py has one'
        )
    model = init_model(cfg)
    model.score_fusion = model.score_fusion or GeometricFusion()  # asks the tower, too
    seen = torch.from_numpy(model.vocabulary.seen.copy()).nonzero().flatten()
    if len(seen) != settings['num_names']:
        raise ValueError(
            f'num_names of the correction of {args.config} is {settings["num_names"]}, but its '
            f'vocabulary has {len(seen)} seen names'
        )
    loader = training_loader(cfg, *args.train, args.limit)
    if tuple(loader.dataset.metainfo['classes']) != tuple(model.vocabulary.names):
        raise ValueError(
            f"the data of {args.config} have other names than its model: give the data's "
            'vocabulary by --cfg-options val_dataloader.dataset.vocabulary=NAME'
        )
    embeddings, labels = (each.cpu() for each in collect_embeddings(model, loader))
    kept = torch.isin(labels, seen)
    names = model.bank_of_labels().table[seen].cpu()
    labels = torch.searchsorted(seen, labels[kept])
    features = embeddings[kept, model.opinion_names.index('clip')]
    scale = model.classifier.scale
    correction = LinearCorrection(features.shape[1], len(seen))
    right = correction.fit(features, labels, names, model.backbone.mean, scale, args.decay)
    print(f'{100 * right:.1f}% of the {len(labels)} training objects are named rightly')
    with whole_file(args.out) as path:
        torch.save(correction.state_dict(), path)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = fitting_parser(__doc__)
    parser.add_argument('--decay', type=float, default=1e-3, help='of weights (%(default)s)')
    add_config_options(parser)
    args = parser.parse_args(argv)
    if args.decay <= 0 or (args.limit is not None and args.limit < 1):
        parser.error('--decay and --limit must be positive')
    return exit_status('fit_correction', fit, args)


if __name__ == '__main__':
    sys.exit(main())
