# COCO 2017, or a part of it, for the small OVSAM: pictures whose id is a multiple of eight are held
# out of the training pictures, to choose on; the validation pictures are for reporting only.
data_root = 'data/coco/'
input_size = 768
seen_size = 384  # of a whole picture, by the tower; what trainings take
all_names = 'coco'
base_names = dict(type='COCOSplitVocabulary', group='base')
split_names = dict(type='COCOSplitVocabulary')

load = dict(
    type='KeepInMemory',
    transforms=[
        dict(type='LoadAnnotatedImage'),
        dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    ],
)
pack_train = dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape'))
# Of trainings on whole pictures.
whole_train_pipeline = [
    dict(type='PasteObjects'),
    dict(type='RandomObjectWarp', size=seen_size, scale=(0.7, 2.0)),
    dict(type='PhotoMetricDistortion'),
    pack_train,
]
# Of those on crops that show objects as large as the zoomed pass does.
near_size = 320  # the model's crop_side
near_train_pipeline = [
    dict(type='PasteObjects'),
    dict(type='RandomObjectWarp', size=near_size, scale=(0.75, 3.5)),
    dict(type='PhotoMetricDistortion'),
    pack_train,
]
# Annotations are loaded after resizing and so stay in original pixels, as mmdet's metrics expect.
test_pipeline = [
    dict(type='LoadAnnotatedImage'),
    dict(type='Resize', scale=(input_size, input_size), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='FilterAnnotations', min_gt_bbox_wh=(32, 32), keep_empty=False),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]

train_pictures = dict(
    type='PartOfImagesCocoDataset',
    every=8,
    vocabulary=all_names,
    data_root=data_root,
    ann_file='annotations/instances_train2017.json',
    data_prefix=dict(img='train2017/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=32),
    pipeline=[load],
)
# A training leaf adds the pipeline of its pictures' size.
pictures_train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(type='MultiImageMixDataset', dataset=train_pictures),
)
held_out_dataloader = dict(
    batch_size=1,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        train_pictures,
        held_out=True,
        vocabulary=split_names,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
val_dataloader = held_out_dataloader
test_dataloader = dict(
    held_out_dataloader,
    dataset=dict(
        type='OpenVocabularyCocoDataset',
        vocabulary=split_names,
        data_root=data_root,
        ann_file='annotations/instances_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
# A quarter of all objects are persons, for whom ImageNet has no class: with and without them.
base_without_person = (
    'bicycle car motorcycle train truck boat bench bird horse sheep bear zebra giraffe backpack '
    'handbag suitcase frisbee skis kite surfboard bottle fork spoon bowl banana apple sandwich '
    'orange broccoli carrot pizza donut chair bed toilet tv laptop mouse remote microwave oven '
    'toaster refrigerator book clock vase toothbrush'
).split()
novel = (
    'airplane bus cat dog cow elephant umbrella tie snowboard skateboard cup knife cake couch '
    'keyboard sink scissors'
).split()
val_evaluator = test_evaluator = [
    dict(type='OpenVocabularyMetric', vocabulary=split_names),
    dict(
        type='OpenVocabularyMetric', base=base_without_person, novel=novel, prefix='without_person'
    ),
]
# For models that name among all 80 names of COCO, not among these 65 alone.
among_all_names = [dict(each, prediction_classes=all_names) for each in test_evaluator]
val_cfg = dict()
test_cfg = dict()
