# After longer.py: corrective clicks again, and second looks as the zoomed pass has them; the
# learning rate falls to almost nothing. On two processes.
_base_ = ['./base.py']

max_iters = 750
model = dict(_base_.masks_alone, unclicked=0.6, train_prompter=_base_.mostly_boxes)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.5, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
load_from = 'work_dirs/photo-longer/iter_1200.pth'
