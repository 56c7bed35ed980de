# LVIS v1: frequent and common classes to train on, these and the rare ones to test on.
_base_ = ['./instances.py']

base_names = dict(type='LVISSplitVocabulary', group='base')
split_names = dict(type='LVISSplitVocabulary')
data_root = 'data/'

train_dataloader = dict(
    _base_.train_loader,
    dataset=dict(
        type='OpenVocabularyLVISDataset',
        vocabulary=base_names,
        data_root=data_root,
        ann_file='lvis/annotations/lvis_v1_train.json',
        data_prefix=dict(img='coco/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[
            *_base_.load_for_training,
            dict(
                type='RandomResize',
                scale=(_base_.input_size, _base_.input_size),
                ratio_range=(0.1, 2.0),
                keep_ratio=True,
            ),
            *_base_.crop_and_pack,
        ],
    ),
)
val_dataloader = test_dataloader = dict(
    _base_.test_loader,
    dataset=dict(
        type='OpenVocabularyLVISDataset',
        vocabulary=split_names,
        data_root=data_root,
        ann_file='lvis/annotations/lvis_v1_val.json',
        data_prefix=dict(img='coco/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
val_evaluator = test_evaluator = dict(type='OpenVocabularyMetric', vocabulary=split_names)
val_cfg = dict()
test_cfg = dict()
