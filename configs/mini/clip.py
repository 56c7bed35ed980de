# Stage 0 of the small world: a miniature CLIP on crops of all pictograms.
_base_ = ['../_base_/default_runtime.py', '../_base_/models/mini.py', '../_base_/schedules/mini.py']

max_iters = 880
batch_size = 128

model = dict(
    type='ContrastiveCLIP',
    arch=_base_.mini_clip,
    vocabulary=_base_.all_names,
    templates=_base_.templates,
    data_preprocessor=dict(type='ImgDataPreprocessor', mean=_base_.mean, std=_base_.std),
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=max_iters * batch_size, seed=0, curriculum=0.4),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=1636, seed=1),
)
test_dataloader = dict(
    batch_size=128,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=4090, seed=2),
)
val_evaluator = test_evaluator = dict(type='mmpretrain.Accuracy', topk=(1, 5))
val_cfg = dict()
test_cfg = dict()
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=440)
optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3),
    paramwise_cfg=dict(
        custom_keys=dict(
            token_embedding=dict(decay_mult=0),
            logit_scale=dict(decay_mult=0),
            class_table=dict(decay_mult=0),
        )
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=max_iters, eta_min_ratio=0.01),
]
