# Stage 0 of the small world: a miniature SAM on boxes and points, without classes.
# It starts from a training at half resolution, sam_half.py.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 1150

model = dict(
    type='SAM',
    data_preprocessor=_base_.preprocessor,
    image_encoder=_base_.sam_image_encoder,
    prompt_encoder=_base_.prompt_encoder,
    mask_decoder=_base_.mask_decoder,
    mask_loss=dict(type='SAMMaskLoss', gamma=1.0, focal_weight=10.0),
    auxiliary_loss=dict(type='DenseInstanceLoss', embed_dims=_base_.embed_dims),
    mask_cleaning=_base_.mask_cleaning,
    prompter=dict(type='BoxPrompter'),
    train_prompter=_base_.train_prompter,
)
train_dataloader = _base_.scenes_train_dataloader
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3, betas=(0.9, 0.95)))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
load_from = _base_.weights + 'sam_half.pth'
find_unused_parameters = True  # of several processes: masks are prompts in interactive.py only
