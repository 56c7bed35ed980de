# After finish.py: the label head goes on, with what is zoomed in on, as the second pass names it.
# Nothing else learns.
_base_ = ['./base.py']

max_iters = 700
size = _base_.image_size
learned = _base_.weights + 'base.pth'
parts = ['neck', 'prompt_encoder', 'mask_decoder', 'label_head']
model = dict(
    data_preprocessor=dict(pad_size_divisor=size),
    mask_loss=None,
    zoomed_pass=dict(_delete_=True, **_base_.ovsam.zoomed_pass),
    frozen=['backbone', 'text_encoder', *parts[:3]],
    **{
        part: dict(init_cfg=dict(type='Pretrained', checkpoint=learned, prefix=part + '.'))
        for part in parts
    },
)
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=_base_.whole_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
    dict(
        type='LinearLR', start_factor=1.0, end_factor=0.02, by_epoch=False, begin=30, end=max_iters
    ),
]
