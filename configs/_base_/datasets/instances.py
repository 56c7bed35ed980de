# How annotated instances are prepared at paper scale; coco.py and lvis.py say of which images.
input_size = 1024

load_for_training = [
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='RandomFlip', prob=0.5),
]
crop_and_pack = [
    dict(
        type='RandomCrop',
        crop_type='absolute',
        crop_size=(input_size, input_size),
        recompute_bbox=True,
        allow_negative_crop=True,
    ),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(1e-5, 1e-5), by_mask=True, min_gt_mask_area=32),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
]
# Annotations are loaded after resizing and so stay in original pixels, as mmdet's metrics expect.
test_pipeline = [
    dict(type='LoadAnnotatedImage'),
    dict(type='Resize', scale=(input_size, input_size), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
# For models whose parts resize for themselves.
raw_pipeline = [step for step in test_pipeline if step['type'] != 'Resize']

train_loader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
)
test_loader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
)
