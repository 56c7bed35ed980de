# The protocol of base and novel names, with novel names taught by four examples each, of the
# training pictures, their texts withheld; boxes.
_base_ = ['./base_box.py']

model = dict(
    type='TaughtSkipOVSAM',
    example_space=_base_.example_space,
    examples=dict(
        _base_.test_dataloader.dataset,
        type='PartOfImagesCocoDataset',
        every=8,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
    ),
    shots=4,
    with_text=False,
)
