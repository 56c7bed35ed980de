# Stage 0 of the small world: a miniature CLIP on crops of all pictograms.
_base_ = ['../_base_/default_runtime.py', '../_base_/models/mini_clip.py']

max_iters = 1100
batch_size = 128

model = dict(
    type='ContrastiveCLIP',
    arch=_base_.mini_clip,
    vocabulary=_base_.all_names,
    templates=_base_.templates,
    data_preprocessor=dict(type='ImgDataPreprocessor', mean=_base_.clip_mean, std=_base_.clip_std))
train_dataloader = dict(
    batch_size=batch_size, num_workers=1, persistent_workers=True, drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=False), collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=max_iters * batch_size, seed=0,
                 curriculum=0.4))
val_dataloader = dict(
    batch_size=128, num_workers=1, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=1636, seed=1))
test_dataloader = dict(
    batch_size=128, num_workers=1, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='PictogramCrops', num_samples=4090, seed=2))
val_evaluator = test_evaluator = dict(type='mmpretrain.Accuracy', topk=(1, 5))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=200)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=1.5e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=1.0),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0,
                       custom_keys={'token_embedding': dict(decay_mult=0),
                                    'logit_scale': dict(decay_mult=0),
                                    'class_table': dict(decay_mult=0)}))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=max_iters, eta_min_ratio=0.01)]
