# The model for use: base.pth's masks, and a label head that goes on from base.pth's with COCO's 32
# other names, which have their ImageNet classes back. Nothing else learns.
_base_ = ['./base.py']

max_iters = 600
model = dict(
    _base_.head_alone,
    vocabulary=dict(seen=None),
    text_encoder=dict(projection=dict(_delete_=True, **_base_.text_encoder.projection)),
    label_loss=dict(num_names=80),
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
