# The paper's large vocabulary: LVIS v1 with masks, Objects365 v2 and V3Det with boxes, ImageNet-21k
# with a name for each image. COCO in place of LVIS: its names, its data set and its files.
# How often each is drawn is not published; here half of the steps have masks.
_base_ = ['./instances.py']

lvis_names = dict(type='LVISSplitVocabulary', group='base')
v3det_names = dict(type='V3DetVocabulary')  # 13,204, which come with the data set only
# Without V3Det's these are 21,512: LVIS's and Objects365's names come from mmdet, ImageNet's from
# timm, which has the 21,841 synsets of fall 2011. The paper has 19,167 of them, and 25,970 in all.
joint_names = dict(
    type='MergedVocabulary', vocabularies=[lvis_names, 'objects365', v3det_names, 'imagenet21k']
)

load_boxes = [
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
]
crop_and_pack_boxes = [
    dict(
        type='RandomResize',
        scale=(_base_.input_size, _base_.input_size),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
    ),
    dict(
        type='RandomCrop',
        crop_type='absolute',
        crop_size=(_base_.input_size, _base_.input_size),
        allow_negative_crop=True,
    ),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(4, 4)),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
]

lvis = dict(
    name='lvis',
    weight=3,
    dataset=dict(
        type='OpenVocabularyLVISDataset',
        vocabulary=lvis_names,
        data_root='data/',
        ann_file='lvis/annotations/lvis_v1_train.json',
        data_prefix=dict(img='coco/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[
            *_base_.load_for_training,
            dict(
                type='RandomResize',
                scale=(_base_.input_size, _base_.input_size),
                ratio_range=(0.1, 2.0),
                keep_ratio=True,
            ),
            *_base_.crop_and_pack[:-1],
            dict(
                type='PackDetInputs',
                meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'judged_labels'),
            ),
        ],
    ),
)
objects365 = dict(
    name='objects365',
    weight=1,
    dataset=dict(
        type='Objects365V2Dataset',
        data_root='data/objects365v2/',
        ann_file='annotations/zhiyuan_objv2_train.json',
        data_prefix=dict(img='train/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[*load_boxes, *crop_and_pack_boxes],
    ),
)
v3det = dict(
    name='v3det',
    weight=1,
    dataset=dict(
        type='V3DetDataset',
        data_root='data/v3det/',
        ann_file='annotations/v3det_2023_v1_train.json',
        data_prefix=dict(img=''),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=[*load_boxes, *crop_and_pack_boxes],
    ),
)
# Folders are synsets, which the vocabulary knows as aliases.
imagenet21k = dict(
    name='imagenet21k',
    weight=1,
    dataset=dict(
        type='mmpretrain.ImageNet21k',
        data_root='data/imagenet21k/',
        split='train',
        pipeline=[
            dict(type='LoadAnnotatedImage'),
            dict(type='RandomFlip', prob=0.5),
            dict(type='Resize', scale=(_base_.input_size, _base_.input_size), keep_ratio=True),
            dict(type='WholeImageRegion'),
            crop_and_pack_boxes[-1],
        ],
    ),
)

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    batch_sampler=dict(type='SourceBatchSampler'),
    dataset=dict(
        type='JointDataset', vocabulary=joint_names, sources=[lvis, objects365, v3det, imagenet21k]
    ),
)
val_dataloader = dict(
    _base_.test_loader,
    dataset=dict(
        type='OpenVocabularyLVISDataset',
        vocabulary=lvis_names,
        data_root='data/',
        ann_file='lvis/annotations/lvis_v1_val.json',
        data_prefix=dict(img='coco/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
val_evaluator = dict(
    type='OpenVocabularyMetric', vocabulary=lvis_names, prediction_classes=joint_names
)
val_cfg = dict()
