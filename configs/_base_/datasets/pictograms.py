# Pictogram scenes; `python tools/make_pictograms.py` writes them.
data_root = '{{$OVSAM_PICTOGRAMS:data/pictograms}}/'
input_size = 256

load_image = dict(type='LoadAnnotatedImage')
load_annotations = dict(type='LoadAnnotations', with_bbox=True, with_mask=True)
resize = dict(type='Resize', scale=(input_size, input_size), keep_ratio=True)
pack_train = dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape'))
pack_test = dict(
    type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
)
train_pipeline = [load_image, load_annotations, resize, pack_train]
# Annotations are loaded after resizing and so stay in original pixels, as mmdet's metrics expect.
test_pipeline = [load_image, resize, load_annotations, pack_test]
raw_pipeline = [load_image, load_annotations, pack_test]  # for models whose parts resize themselves

scenes_train = dict(
    type='OpenVocabularyCocoDataset',
    vocabulary=dict(type='PictogramVocabulary'),
    data_root=data_root,
    ann_file='annotations/train.json',
    data_prefix=dict(img='train/'),
    filter_cfg=dict(filter_empty_gt=True, min_size=8),
    pipeline=train_pipeline,
)
scenes_val = dict(
    type='OpenVocabularyCocoDataset',
    vocabulary=dict(type='PictogramVocabulary'),
    data_root=data_root,
    ann_file='annotations/val.json',
    data_prefix=dict(img='val/'),
    test_mode=True,
    pipeline=test_pipeline,
)
scenes_test = dict(scenes_val, ann_file='annotations/test.json', data_prefix=dict(img='test/'))

# Training leaves write `train_dataloader = dict(_base_.scenes_train_dataloader, ...)`.
scenes_train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler'),
    dataset=scenes_train,
)
# A quarter of the validation scenes watch the training; all of them choose fusion weights.
val_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(scenes_val, indices=100),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=scenes_test,
)
val_evaluator = test_evaluator = dict(
    type='OpenVocabularyMetric', vocabulary=dict(type='PictogramVocabulary')
)
val_cfg = dict()
test_cfg = dict()
