# The paper's protocol, with novel names taught by four examples each, their texts withheld; boxes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(
    _base_.ovsam,
    type='TaughtOVSAM',
    vocabulary=split_names,
    score_fusion=_base_.base_fusion,
    example_space=_base_.base_example_space,
    examples=dict(
        _base_.scenes_test,
        ann_file='annotations/train.json',
        data_prefix=dict(img='train/'),
        vocabulary=split_names,
    ),
    shots=4,
    with_text=False,
)
val_dataloader = dict(dataset=dict(vocabulary=split_names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=split_names))
load_from = _base_.weights + 'clip2sam_base.pth'
