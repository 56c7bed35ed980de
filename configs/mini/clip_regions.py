# Stage 0 of the small world, second half: the miniature CLIP learns to embed regions of scenes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 700
crop_clip = dict(type='Pretrained', checkpoint=_base_.weights + 'clip_crops.pth', prefix='clip.')

model = dict(
    type='RegionCLIP',
    data_preprocessor=_base_.preprocessor,
    backbone=dict(_base_.backbone, init_cfg=crop_clip),
    text_encoder=dict(_base_.text_encoder, init_cfg=crop_clip),
    vocabulary=_base_.all_names,
    templates=_base_.templates,
)
train_dataloader = dict(_base_.scenes_train_dataloader, batch_size=12)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=350)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=30, end=max_iters, eta_min_ratio=0.01),
]
