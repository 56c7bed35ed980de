# COCO 2017: 48 base classes to train on, these and 17 novel ones to test on.
_base_ = ['./instances.py']

base_names = dict(type='COCOSplitVocabulary', group='base')
split_names = dict(type='COCOSplitVocabulary')
data_root = 'data/coco/'

train_dataloader = dict(
    _base_.train_loader,
    dataset=dict(
        type='OpenVocabularyCocoDataset',
        vocabulary=base_names,
        data_root=data_root,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[
            *_base_.load_for_training,
            dict(
                type='RandomResize',
                scale=(_base_.input_size, _base_.input_size),
                ratio_range=(0.9, 2.0),
                keep_ratio=True,
            ),
            *_base_.crop_and_pack,
        ],
    ),
)
val_dataloader = test_dataloader = dict(
    _base_.test_loader,
    dataset=dict(
        type='OpenVocabularyCocoDataset',
        vocabulary=split_names,
        data_root=data_root,
        ann_file='annotations/instances_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
val_evaluator = test_evaluator = dict(type='OpenVocabularyMetric', vocabulary=split_names)
val_cfg = dict()
test_cfg = dict()
