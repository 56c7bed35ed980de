# Stage 1: the adapter learns SAM's image embedding from frozen CLIP's features.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 560

model = dict(
    type='SAM2CLIPDistiller',
    data_preprocessor=_base_.preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    teacher=_base_.pretrained_sam_image_encoder,
    prompt_encoder=_base_.pretrained_prompt_encoder,
    mask_decoder=_base_.pretrained_mask_decoder,
    mask_cleaning=_base_.mask_cleaning,
    prompter=dict(type='BoxPrompter'),
)
train_dataloader = _base_.scenes_train_dataloader
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
