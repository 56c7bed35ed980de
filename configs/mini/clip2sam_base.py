# Stage 2, the paper's protocol: CLIP2SAM on the base classes only.
_base_ = ['../_base_/default_runtime.py', '../_base_/models/mini_ovsam.py',
          '../_base_/datasets/pictograms.py', '../_base_/schedules/mini.py']

max_iters = 800
base_names = dict(type='PictogramVocabulary', group='base')
split_names = dict(type='PictogramVocabulary', group='split', seen='base')

model = dict(_base_.ovsam, vocabulary=base_names, train_prompter=_base_.train_prompter)
train_dataloader = dict(
    batch_size=8, num_workers=1, persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(_base_.pictograms_train, vocabulary=base_names))
val_dataloader = dict(
    batch_size=8, num_workers=1, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(_base_.pictograms_val, vocabulary=base_names, indices=100))
val_evaluator = dict(type='OpenVocabularyMetric', vocabulary=split_names)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=200)
optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3), paramwise_cfg=dict(custom_keys=dict(mask_decoder=dict(lr_mult=0.2))))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01)]
