# A small detector that finds objects of any kind and has one name for all of them.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini_detector.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 1600

model = _base_.detector
train_dataloader = dict(
    _base_.scenes_train_dataloader,
    dataset=dict(
        _base_.scenes_train,
        pipeline=[
            _base_.load_image,
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='OneClass'),
            _base_.resize,
            _base_.pack_train,
        ],
    ),
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=400)
optim_wrapper = dict(
    optimizer=dict(lr=2e-3),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(bypass_duplicate=True),
)  # the levels share their convolutions
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
# Average recall, which asks for no names.
val_evaluator = dict(
    _delete_=True,
    type='VocabularyCocoMetric',
    metric='proposal',
    ann_file=_base_.data_root + 'annotations/val.json',
)
test_evaluator = dict(
    _delete_=True,
    type='VocabularyCocoMetric',
    metric='proposal',
    ann_file=_base_.data_root + 'annotations/test.json',
)
