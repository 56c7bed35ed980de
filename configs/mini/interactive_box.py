# The interactive OVSAM: boxes, among the base and novel names.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split', seen='all_but_novel')
model = dict(
    _base_.interactive,
    vocabulary=split_names,
    score_fusion=_base_.demo_fusion,
    example_space=_base_.example_space,
)
val_dataloader = dict(dataset=dict(vocabulary=split_names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=split_names))
load_from = _base_.weights + 'interactive.pth'
