# After finish.py: the label head goes on, with what is zoomed in on, as the second pass names it.
# Nothing else learns.
_base_ = ['./base.py']

max_iters = 700
model = dict(_base_.head_alone)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=_base_.whole_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.02, by_epoch=False, begin=30, end=max_iters
    ),
]
