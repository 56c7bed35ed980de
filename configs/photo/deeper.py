# After finish.py: more blocks, which begin as nothing, whole pictures and what is zoomed in on, as
# the second pass sees it, with corrective clicks. The label head stays as it is.
_base_ = ['./base.py']

max_iters = 1300
model = dict(_base_.masks_alone)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.2, by_epoch=False, begin=0, end=20),
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.02, by_epoch=False, begin=20, end=max_iters
    ),
]
load_from = 'work_dirs/photo-finish/iter_400.pth'
