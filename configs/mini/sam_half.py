# The miniature SAM's first steps, at half resolution: a quarter of the cost, and the mask decoder
# learns where prompts point just as well. Coordinates are relative to the image, so the weights
# carry over.
_base_ = ['./sam.py']

max_iters = 1400
half_size = 128
half_resize = dict(type='Resize', scale=(half_size, half_size), keep_ratio=True)

model = dict(
    data_preprocessor=dict(pad_size_divisor=half_size),
    prompt_encoder=dict(image_size=half_size),
    mask_decoder=dict(init_cfg=dict(type='LocalAttentionInit', std=0.15)),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[_base_.load_image, _base_.load_annotations, half_resize, _base_.pack_train]
    )
)
val_dataloader = dict(
    dataset=dict(
        pipeline=[_base_.load_image, half_resize, _base_.load_annotations, _base_.pack_test]
    )
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
load_from = None
