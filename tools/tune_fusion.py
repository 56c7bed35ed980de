"""Choose the weights of score fusion on the validation data of a config.

    python tools/tune_fusion.py configs/mini/ovsam_base_box.py

Prints base, novel and harmonic-mean accuracy for a grid of CLIP's weight on seen and on unseen
classes, and of penalties of seen names; the best line goes into the config's ``score_fusion``.
"""

import sys
from collections.abc import Sequence
from itertools import product

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from tabulate import tabulate

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.evaluation.opinions import collect_opinions, validation_data
from ovsam.naming.scores import GeometricFusion
from ovsam.segmenters.ovsam import OVSAM
from ovsam.utils.command_line import exit_status, parser_of
from ovsam.utils.wording import listed

STEPS = 11  # grid points a weight


def tune(config: str, penalties: Sequence[float]) -> None:
    """Ask both for their opinions once, then fuse them with every pair of weights."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    model = init_model(cfg)
    if not isinstance(model, OVSAM):
        raise ValueError(
            f'{config} has a {type(model).__name__}, which has no scores to fuse: '
            'give the config of an OVSAM, such as configs/mini/ovsam_base_box.py'
        )
    split = model.vocabulary.split
    if not {'base', 'novel'} <= split.keys():
        raise ValueError(
            f'the vocabulary of {config} has no groups "base" and "novel", between '
            f'which to choose; it has {listed(split)}'
        )
    model.score_fusion = model.score_fusion or GeometricFusion()  # asks both for their opinion
    model.second_look = None  # what it sees depends on the weights
    places = (model.vocabulary.label_map(split[group]) for group in ('base', 'novel'))
    groups = [torch.from_numpy(each) for each in places]
    seen = torch.from_numpy(model.vocabulary.seen.copy())
    (head, clip), labels = collect_opinions(model, Runner.build_dataloader(validation_data(cfg)))
    results = []
    weights = torch.linspace(0, 1, STEPS).tolist()
    for fusion in product(weights, weights, penalties):
        right = GeometricFusion(*fusion)(head, clip, seen)[:, :-1].argmax(1) == labels
        base, novel = (
            100 * right[torch.isin(labels, group)].float().mean().item() for group in groups
        )
        results.append((2 * base * novel / max(base + novel, 1e-9), base, novel, *fusion))
    head = ['harmonic', 'base', 'novel', 'seen', 'unseen', 'penalty']
    best = sorted(results, reverse=True)[:10]
    print(tabulate(best, head, 'plain', floatfmt=('.1f', '.1f', '.1f', '.2f', '.2f', '.2f')))


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--penalties',
        type=float,
        nargs='+',
        default=[0.0],
        help='of seen names, to try with each pair of weights (%(default)s)',
    )
    args = parser.parse_args(argv)
    return exit_status('tune_fusion', tune, args.config, args.penalties)


if __name__ == '__main__':
    sys.exit(main())
