# The paper's protocol: CLIP2SAM on the base classes only, fused with frozen CLIP; boxes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(_base_.ovsam, vocabulary=split_names, score_fusion=_base_.base_fusion)
val_dataloader = dict(dataset=dict(vocabulary=split_names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=split_names))
load_from = _base_.weights + 'clip2sam_base.pth'
