# After conditioned_finish.py: more of the same, and two boxes to each point. On two processes, as
# there; the learning rate falls in longer_finish.py.
_base_ = ['./base.py']

max_iters = 1200
model = dict(_base_.masks_alone, rounds=1, train_prompter=_base_.mostly_boxes)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=60),
]
load_from = 'work_dirs/photo-conditioned-finish/iter_900.pth'
