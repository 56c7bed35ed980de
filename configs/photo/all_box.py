# The model for use, among all 80 names of COCO; boxes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/photo.py',
    '../_base_/datasets/photo.py',
]

model = dict(_base_.in_use)
val_evaluator = test_evaluator = _base_.among_all_names
load_from = _base_.weights + 'all.pth'
