# The last phase, after whole.py: corrective clicks, and a learning rate that falls to almost
# nothing.
_base_ = ['./base.py']

max_iters = 400
size = _base_.tower_size
model = dict(
    rounds=2,
    data_preprocessor=dict(pad_size_divisor=size),
    prompt_encoder=dict(image_size=size),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.whole_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=4.5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.3, by_epoch=False, begin=0, end=10),
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.02, by_epoch=False, begin=10, end=max_iters
    ),
]
load_from = 'work_dirs/photo-whole/iter_900.pth'
