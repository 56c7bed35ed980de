# The second phase: base.py goes on with whole pictures, so that large objects are whole.
_base_ = ['./base.py']

max_iters = 900
size = _base_.tower_size
model = dict(
    data_preprocessor=dict(pad_size_divisor=size),
    prompt_encoder=dict(image_size=size),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.whole_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.2e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.3, by_epoch=False, begin=0, end=10),
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.35, by_epoch=False, begin=10, end=max_iters
    ),
]
load_from = 'work_dirs/photo-base/iter_3000.pth'
