# SA-1B: images of 10 of its 1000 folders to distil on; masks of the next one measure the adapter.
data_root = 'data/sa1b/'
input_size = 1024

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='SA1BDataset',
        data_root=data_root,
        folders=[f'sa_{number:06d}' for number in range(10)],
        pipeline=[
            dict(type='LoadAnnotatedImage'),
            dict(type='Resize', scale=(input_size, input_size), keep_ratio=True),
            dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape')),
        ],
    ),
)
val_dataloader = test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SA1BDataset',
        data_root=data_root,
        folders=['sa_000010'],
        indices=200,
        test_mode=True,
        pipeline=[
            dict(type='LoadSA1BAnnotations'),
            dict(type='LoadAnnotatedImage'),
            dict(type='Resize', scale=(input_size, input_size), keep_ratio=True),
            dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
            dict(
                type='PackDetInputs',
                meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
            ),
        ],
    ),
)
val_evaluator = test_evaluator = dict(type='OpenVocabularyMetric', base=['object'])
val_cfg = dict()
test_cfg = dict()
