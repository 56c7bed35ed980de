# Stage 1, continued: the adapter also learns what SAM's decoder, which stays, needs for masks.
_base_ = ['./sam2clip.py']

max_iters = 900

model = dict(
    neck=dict(
        init_cfg=dict(type='Pretrained', checkpoint=_base_.weights + 'sam2clip.pth', prefix='neck.')
    ),
    mask_loss=dict(type='SAMMaskLoss', gamma=1.0, focal_weight=10.0),
    train_prompter=_base_.train_prompter,
)
train_cfg = dict(max_iters=max_iters, val_interval=300)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=30, end=max_iters, eta_min_ratio=0.01),
]
