"""Writes tests/data/label_studio_rle.json; for a Python that has label-studio-sdk.

.venv-label-studio/bin/python tests/serving/label_studio/make_brush_rle.py
"""

import json
from pathlib import Path

import numpy as np
from label_studio_sdk.converter.brush import mask2rle


def masks():
    """Masks by name: all lengths of runs that are packed differently, and both ends."""
    rng = np.random.default_rng(0)
    yield 'pixel', np.ones((1, 1), bool)
    yield 'empty', np.zeros((2, 3), bool)
    yield 'noise', rng.random((9, 11)) < 0.5
    for pixels in (2, 3, 4, 5, 64, 65, 16384, 16385):
        run = np.zeros((1, 2 * pixels + 1), bool)
        run[0, 1 : pixels + 1] = True
        yield f'run_{pixels}', run
    long = np.zeros((300, 200), bool)
    long[5, 7] = long[200:] = True
    yield 'long', long


def main():
    cases = {}
    for name, mask in masks():
        cases[name] = {
            'size': list(mask.shape),
            'inside': _ranges(mask),
            'rle': mask2rle(mask.astype(np.uint8) * 255),
        }
    path = Path(__file__).parents[2] / 'data' / 'label_studio_rle.json'
    path.write_text(json.dumps(cases) + '\n', encoding='utf-8')


def _ranges(mask):
    """Starts and ends of what is inside, in the flattened mask."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.ravel().astype(int), [0]])))
    return edges.reshape(-1, 2).tolist()


if __name__ == '__main__':
    main()
