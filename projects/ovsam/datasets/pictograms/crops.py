"""An endless supply of pictogram crops for contrastive training, drawn as they are asked for."""

import numpy as np
import torch
from mmdet.registry import DATASETS
from torch.utils.data import Dataset

from ...vocabulary import build_vocabulary
from .glyphs import pictogram_names
from .renderer import render_crop


@DATASETS.register_module()
class PictogramCrops(Dataset):
    """Crops of single pictograms; sample ``i`` is a function of ``(seed, i)`` alone.

    Classes come in shuffled passes, so that neighbours in the order (a batch of an unshuffled
    sampler) are distinct. Difficulty rises linearly from 0 to 1 over the first ``curriculum``
    share of the samples: order is part of the data set, read it with ``shuffle=False``.

    Args:
        num_samples: Length.
        seed: Names the data set; use another one for evaluation.
        curriculum: Share of the samples, in [0, 1], over which difficulty rises; 0 is full
            difficulty throughout.
        vocabulary: Names to draw, what :func:`~ovsam.vocabulary.build_vocabulary` takes; all of
            the small world's by default. Labels index it.

    Raises:
        ValueError: ``num_samples`` or ``curriculum`` is out of range, or a class is unknown.
    """

    def __init__(self, num_samples: int, seed: int, curriculum: float = 0.0, vocabulary=None):
        names = pictogram_names()
        if num_samples < 1 or not 0 <= curriculum <= 1:
            raise ValueError(
                f'num_samples must be positive and curriculum in [0, 1], got '
                f'{num_samples} and {curriculum}.'
            )
        classes = names if vocabulary is None else build_vocabulary(vocabulary).names
        unknown = sorted(set(classes) - set(names))
        if unknown:
            raise ValueError(f'Not a pictogram: {unknown[:5]}; the list is in pictograms.json.')
        self.metainfo = dict(classes=classes)
        self.glyph_index = np.array([names.index(name) for name in classes])
        self.num_samples = num_samples
        self.seed = seed
        self.curriculum = curriculum

    def __len__(self) -> int:
        return self.num_samples

    def __getitem__(self, index: int) -> dict:
        """``inputs``: (3, 64, 64) uint8 RGB; ``labels``: int."""
        if not 0 <= index < self.num_samples:
            raise IndexError(index)
        turn, place = divmod(index, len(self.glyph_index))
        order = np.random.default_rng([self.seed, turn]).permutation(len(self.glyph_index))
        label = int(order[place])
        rise = self.curriculum * self.num_samples
        difficulty = 1.0 if rise == 0 else min(1.0, index / rise)
        rng = np.random.default_rng([self.seed, turn, place])
        crop = render_crop(rng, int(self.glyph_index[label]), difficulty=difficulty)
        inputs = torch.from_numpy(np.ascontiguousarray(crop.image.transpose(2, 0, 1)))
        return dict(inputs=inputs, labels=label)
