r"""Fit where regions are compared with examples of names, so that names can be taught.

    python tools/fit_examples.py configs/mini/ovsam_base_box.py \
        --train annotations/train.json train/ --limit 500 --out work_dirs/examples.pth
    python tools/export_checkpoint.py --out checkpoints/mini/examples_base.pth \
        work_dirs/examples.pth

Learns the mean of the regions' embeddings, and the directions in which those of one name vary, on
training data, from objects of seen names. Then it chooses scale and shift on validation data: some
seen names at a time are taught by a few examples, their texts withheld, and objects of seen names
are named. Names of the group "novel" have no part in either. The last line goes into the config's
model.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.engine.runner_flags import fitting_parser
from ovsam.evaluation.opinions import collect_embeddings, training_loader, validation_data
from ovsam.naming.examples import Examples, ExampleSpace
from ovsam.segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ovsam.utils.command_line import exit_status
from ovsam.utils.files import require_writable, whole_file
from ovsam.utils.tables import table

SCALES = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 1.0)
SHIFTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12)
SHOTS, DRAWS = 4, 6  # examples of a name; how often names and examples are drawn


def taught(space: ExampleSpace, rows: Tensor, labels: Tensor, names: list[int]) -> Examples:
    """Examples of some names that training regions have; their texts do not count."""
    sums, counts = [], []
    for name in names:
        mine = (labels == name).nonzero().flatten()
        chosen = mine[torch.randperm(len(mine))[:SHOTS]]
        sums.append(space(rows[chosen]).sum(dim=0))
        counts.append(len(chosen))
    count = torch.tensor(counts)
    return Examples(torch.tensor(names), torch.stack(sums), count, torch.zeros_like(count) > 0)


def fit(args: argparse.Namespace) -> None:
    """Collect, fit, choose, write, print."""
    require_writable(args.out)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    cfg.model.pop('example_space', None)  # it may not be there yet
    model = init_model(cfg)
    if not isinstance(model, OpenVocabularySegmenter):
        raise ValueError(f'a {type(model).__name__} gives no names: there is nothing to teach it')
    if not model.vocabulary.seen.any():
        raise ValueError(f'the vocabulary of {args.config} has no seen names to learn from')
    train = training_loader(cfg, *args.train, args.limit)
    val = Runner.build_dataloader(validation_data(cfg))
    seen = torch.from_numpy(model.vocabulary.seen.copy())
    sets = []
    for loader in (train, val):
        rows, labels = (each.cpu() for each in collect_embeddings(model, loader))
        kept = seen[labels]
        sets.append((rows[kept], labels[kept]))
    (rows, labels), (val_rows, val_labels) = sets
    space = ExampleSpace(rows.shape[2], rows.shape[1], rank=args.rank)
    space.fit(rows, labels, args.ridge)
    chosen = choose(model, space, (rows, labels), (val_rows, val_labels))
    with whole_file(args.out) as path:
        torch.save(space.state_dict(), path)
    cells = [[f'{each:.4g}' for each in row] for row in chosen[:10]]
    print(table(['cross-entropy', 'right (%)', 'scale', 'shift'], cells, texts=0))
    _, _, scale, shift = chosen[0]
    print(
        f"example_space=dict(type='ExampleSpace', embed_dims={rows.shape[2]}, "
        f'num_opinions={rows.shape[1]}, rank={args.rank}, scale={scale}, shift={shift})'
    )


def choose(
    model: OpenVocabularySegmenter,
    space: ExampleSpace,
    train: tuple[Tensor, Tensor],
    val: tuple[Tensor, Tensor],
) -> list[tuple]:
    """Cross-entropy, share of right names in percent, scale and shift, the best first."""
    torch.manual_seed(0)
    names = val[1].unique()
    shown = names[torch.isin(names, train[1])]
    if not len(shown):
        raise ValueError(
            'no seen name has objects in both training and validation data: there is nothing to '
            'teach; take more images'
        )
    columns = {int(name): place for place, name in enumerate(names)}
    target = torch.tensor([columns[int(label)] for label in val[1]])
    with torch.no_grad():
        by_text = torch.stack([model.classify(each) for each in val[0].unbind(1)], dim=1)
    draws = [
        taught(
            space,
            *train,
            shown[torch.randperm(len(shown))[: max(1, len(shown) // 4)]].sort().values.tolist(),
        )
        for _ in range(DRAWS)
    ]
    found = []
    for scale, shift in product(SCALES, SHIFTS):
        space.scale, space.shift = scale, shift
        losses, rights = [], []
        for examples in draws:
            logits = space.by_example(by_text, val[0], examples, model.classifier.scale)
            scores = model.fuse(logits.unbind(1))[:, names]
            losses.append(F.cross_entropy(scores, target).item())
            rights.append((scores.argmax(dim=1) == target).float().mean().item())
        found.append((sum(losses) / len(losses), 100 * sum(rights) / len(rights), scale, shift))
    return sorted(found)


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = fitting_parser(__doc__)
    parser.add_argument('--ridge', type=float, default=1.0, help='less whitening (%(default)s)')
    parser.add_argument(
        '--rank',
        type=int,
        help='directions to scale, those that vary most within a name; all if not given',
    )
    args = parser.parse_args(argv)
    counts = [count for count in (args.limit, args.rank) if count is not None]
    if min([args.ridge, *counts]) <= 0:
        parser.error('--limit, --rank and --ridge must be positive')
    return exit_status('fit_examples', fit, args)


if __name__ == '__main__':
    sys.exit(main())
