# Yardstick: the box itself as the mask.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/photo.py',
    '../_base_/datasets/photo.py',
]

model = dict(type='FilledBoxes', data_preprocessor=_base_.preprocessor)
