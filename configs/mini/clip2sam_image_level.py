# Stage 2 on two sources: scenes without a third of the names, which have pictures of their own in
# place of boxes and masks: one name for each whole image.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 900  # half of them on scenes
scene_names = dict(type='PictogramVocabulary', group='with_masks')
image_names = dict(type='PictogramVocabulary', group='image_level')
joint_names = dict(type='MergedVocabulary', vocabularies=[scene_names, image_names])
scenes = dict(name='scenes', weight=1, dataset=dict(_base_.scenes_train, vocabulary=scene_names))
images = dict(
    name='images',
    weight=1,
    dataset=dict(
        type='mmpretrain.CustomDataset',
        data_root=_base_.data_root,
        data_prefix=dict(img_path='image_level/'),
        pipeline=[
            _base_.load_image,
            # The sizes of objects in scenes, so that regions are read from the same levels.
            dict(
                type='RandomChoiceResize',
                scales=[(64, 64), (96, 96), (128, 128), (160, 160)],
                keep_ratio=True,
            ),
            dict(type='WholeImageRegion'),
            _base_.pack_train,
        ],
    ),
)

model = dict(
    _base_.ovsam,
    type='JointOVSAM',
    vocabulary=joint_names,
    region_jitter=0.1,
    # Pictures alone need no padding to the size of scenes.
    data_preprocessor=dict(_base_.preprocessor, type='JointDataPreprocessor', pad_size_divisor=32),
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    batch_sampler=dict(type='SourceBatchSampler', batch_sizes=dict(images=24)),
    dataset=dict(type='JointDataset', vocabulary=joint_names, sources=[scenes, images]),
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=joint_names))
val_evaluator = test_evaluator = dict(
    vocabulary=dict(split=dict(base='with_masks', novel='image_level'))
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=1.5e-3),
    clip_grad=dict(max_norm=20.0),
    paramwise_cfg=dict(custom_keys=dict(mask_decoder=dict(lr_mult=0.4))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01),
]
