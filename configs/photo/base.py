# Everything that is learned on pictures, together: adapter, prompt encoder and mask decoder on the
# masks of all classes, class-agnostic, and the CLIP2SAM head on the 48 base classes. Nothing is
# distilled: no SAM comes with a package. Crops of the pictures are half as expensive and show
# objects as large as the tower sees them in whole pictures. The learning rate stays: whole.py and
# finish.py let it fall.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/photo.py',
    '../_base_/datasets/photo.py',
    '../_base_/schedules/mini.py',
]

max_iters = 3000
crop_size = 256
whole = _base_.tower_size
model = dict(
    _base_.ovsam,
    rounds=1,
    data_preprocessor=dict(_base_.preprocessor, pad_size_divisor=crop_size),
    prompt_encoder=dict(
        _base_.prompt_encoder, image_size=crop_size, embedding_stride=16, frame=whole
    ),
    label_head=dict(_base_.label_head, strides=(8, 16, 32)),
    mask_loss=dict(type='NearObjectMaskLoss', gamma=0.5, focal_weight=4.0, iou_weight=0.5),
    text_encoder=dict(_base_.text_encoder, projection=_base_.honest_projection),
    vocabulary=dict(type='VocabularyPack', name='coco', seen='base'),
    region_jitter=0.1,
    label_loss=dict(type='BalancedNameLoss', num_names=48),
    zoomed_pass=None,  # zoomed.py learns names with it
    frozen=['backbone', 'text_encoder'],
)
train_dataloader = dict(
    _base_.pictures_train_dataloader,
    dataset=dict(
        _base_.pictures_train_dataloader.dataset,
        pipeline=[
            dict(type='PasteObjects'),
            dict(
                type='RandomObjectWarp',
                size=crop_size,
                scale=(0.7 * whole / crop_size, 2 * whole / crop_size),
            ),
            dict(type='PhotoMetricDistortion'),
            _base_.pack_train,
        ],
    ),
)
# Crops are no pictures to validate on: base_box.py does it.
val_dataloader = val_evaluator = val_cfg = None
test_dataloader = test_evaluator = test_cfg = None
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3, betas=(0.9, 0.98)))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=30),
]
