# After longer_finish.py: as many points as boxes, and more clicks than second looks, which both
# had lost there. On two processes.
_base_ = ['./base.py']

max_iters = 1300
model = dict(_base_.masks_alone, unclicked=0.4)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=40),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=40, end=max_iters),
]
load_from = 'work_dirs/photo-longer-finish/iter_750.pth'
