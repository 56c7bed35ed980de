# After deeper.py: more blocks in the mask decoder, which begin as nothing. They see the prompt, and
# so can tell one thing in its box from another. The learning rate falls in conditioned_finish.py.
_base_ = ['./base.py']

max_iters = 1250
model = dict(_base_.masks_alone, rounds=1)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=60),
]
load_from = 'work_dirs/photo-deeper/iter_1300.pth'
