# Stage 0 of the small world: a miniature SAM on boxes and points, without classes.
_base_ = ['../_base_/default_runtime.py', '../_base_/models/mini.py',
          '../_base_/datasets/pictograms.py', '../_base_/schedules/mini.py']

max_iters = 1600

model = dict(
    type='SAM', data_preprocessor=_base_.data_preprocessor,
    image_encoder=_base_.sam_image_encoder, prompt_encoder=_base_.prompt_encoder,
    mask_decoder=_base_.mask_decoder, mask_loss=dict(type='SAMMaskLoss'),
    prompter=dict(type='BoxPrompter'), train_prompter=_base_.train_prompter)
train_dataloader = dict(batch_size=6)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=400)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=100, end=max_iters, eta_min_ratio=0.01)]
