"""Fit the temperature of a config's names on its validation data.

    python tools/calibrate.py configs/mini/ovsam_base_box.py

Fits on objects of the base classes that no training has seen, and prints the expected
calibration error (ECE, percent) of base and of novel objects: of scores as they are, normalised,
and with the temperature. Then it prints how well objects whose name the vocabulary lacks are told
from the others: for some least probabilities, the share of objects that keep a name, and the share
that gets none once its own name is out of the vocabulary. The last line goes into the config's
model.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from tabulate import tabulate
from torch import Tensor

import ovsam  # noqa: F401  (registers the modules, before mmdet is imported)
from ovsam.apis import init_model
from ovsam.evaluation.calibration_error import (
    expected_calibration_error,
    fit_temperature,
    without_own_name,
)
from ovsam.evaluation.opinions import collect_opinions, validation_data
from ovsam.naming.scores import TemperatureScaling
from ovsam.segmenters.open_vocabulary_segmenter import OpenVocabularySegmenter
from ovsam.utils.command_line import exit_status, parser_of

GROUPS = ('base', 'novel')
STEPS = 20  # least probabilities that are tried


def best_names(log_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (N,) of the likeliest names and their labels (N,); the background is no name."""
    found = log_scores[:, :-1].max(dim=1)
    return found.values.exp(), found.indices


def calibration_errors(log_scores: Tensor, labels: Tensor, groups: list[Tensor]) -> list[float]:
    """In percent, of each group's objects."""
    scores, names = best_names(log_scores)
    return [
        100 * expected_calibration_error(scores[rows], (names == labels)[rows]) for rows in groups
    ]


def calibrate(config: str) -> None:
    """Collect, fit, print."""
    cfg = Config.fromfile(config)
    init_default_scope(cfg.default_scope)
    model = init_model(cfg)
    if not isinstance(model, OpenVocabularySegmenter):
        raise ValueError(f'a {type(model).__name__} gives no names: there is nothing to calibrate')
    opinions, labels = collect_opinions(model, Runner.build_dataloader(validation_data(cfg)))
    places = [model.vocabulary.label_map(model.vocabulary.group(group)) for group in GROUPS]
    groups = [torch.isin(labels, torch.from_numpy(each)) for each in places]
    base, present = groups[0], model.fuse(opinions)
    temperature = round(fit_temperature(present[base], labels[base]), 3)
    scaling = TemperatureScaling(temperature)
    errors = [
        (title, *calibration_errors(scores, labels, groups))
        for title, scores in (
            ('as they are', present),
            ('normalised', TemperatureScaling()(present)),
            (f'temperature {temperature}', scaling(present)),
        )
    ]
    counted = [f'{group} ({int(rows.sum())})' for group, rows in zip(GROUPS, groups)]
    print(tabulate(errors, ['ECE (%)', *counted], 'plain', floatfmt='.1f'))
    # Objects of all groups: what the vocabulary lacks may be of any.
    known = best_names(scaling(present))[0]
    missing = best_names(scaling(model.fuse(without_own_name(opinions, labels))))[0]
    thresholds = np.linspace(0, 1, STEPS + 1)[:-1].tolist()
    rows = [
        (t, *((100 * share.float().mean().item()) for share in (known >= t, missing < t)))
        for t in thresholds
    ]
    head = ['least probability', 'kept (%)', 'refused (%)']
    print(tabulate(rows, head, 'plain', floatfmt=('.2f', '.1f', '.1f')))
    threshold = max(rows, key=lambda row: row[1] + row[2])[0]
    print(
        f"calibration=dict(type='TemperatureScaling', temperature={temperature}), "
        f'none_threshold={threshold:.2f}'
    )


def main(argv=None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument(
        'config',
        help='config of a model that names, whose vocabulary has the groups base and novel',
    )
    return exit_status('calibrate', calibrate, parser.parse_args(argv).config)


if __name__ == '__main__':
    sys.exit(main())
