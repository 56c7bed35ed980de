# Stage 2, the demo's weights: CLIP2SAM on every name but the novel ones.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 400
seen_names = dict(type='PictogramVocabulary', group='all_but_novel')

model = dict(
    _base_.ovsam,
    vocabulary=seen_names,
    name_all=True,
    region_jitter=0.1,
    crop_distillation=dict(type='CropDistillation'),
)
train_dataloader = dict(
    _base_.scenes_train_dataloader, dataset=dict(_base_.scenes_train, vocabulary=seen_names)
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=seen_names))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3),
    clip_grad=dict(max_norm=20.0),
    paramwise_cfg=dict(custom_keys=dict(mask_decoder=dict(lr_mult=0.4))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
