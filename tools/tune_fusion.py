"""Choose the weights of score fusion on the validation data of a config.

    python tools/tune_fusion.py configs/mini/ovsam_base_box.py

Prints base, novel and harmonic-mean accuracy for a grid of CLIP's weight on seen and on unseen
classes; the best line goes into the config's ``score_fusion``.
"""
import argparse
import sys

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.evaluation.opinions import collect_opinions
from ovsam.models import GeometricFusion


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--steps', type=int, default=11, help='grid points a weight (%(default)s)')
    args = parser.parse_args(argv)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    model = init_model(cfg)
    model.score_fusion = model.score_fusion or GeometricFusion()  # asks both for their opinion
    split = model.vocabulary.split
    groups = [torch.tensor([model.vocabulary.index(name) for name in split[group]])
              for group in ('base', 'novel')]
    seen = torch.from_numpy(model.vocabulary.seen.copy())
    (head, clip), labels = collect_opinions(model, Runner.build_dataloader(cfg.val_dataloader))
    results = []
    for a in torch.linspace(0, 1, args.steps).tolist():
        for b in torch.linspace(0, 1, args.steps).tolist():
            right = GeometricFusion(a, b)(head, clip, seen)[:, :-1].argmax(1) == labels
            base, novel = (100 * right[torch.isin(labels, group)].float().mean().item()
                           for group in groups)
            results.append((2 * base * novel / max(base + novel, 1e-9), base, novel, a, b))
    print('harmonic   base  novel   seen unseen')
    for line in sorted(results, reverse=True)[:10]:
        print('{:8.1f} {:6.1f} {:6.1f}  {:5.2f}  {:5.2f}'.format(*line))
    return 0


if __name__ == '__main__':
    sys.exit(main())
