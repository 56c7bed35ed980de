# Scenes cut to 4:3, which are padded; with model.skip_padding=True, encoded without the padding.
_base_ = ['./ovsam_box.py']

_wide_pipeline = [
    _base_.load_image,
    _base_.load_annotations,
    dict(type='RandomCrop', crop_size=(192, 256), allow_negative_crop=True),
    # What was cut out is the original from now on.
    dict(
        type='KeyMapper',
        mapping=dict(ori_shape='img_shape'),
        remapping=dict(ori_shape='ori_shape'),
        transforms=[],
    ),
    _base_.resize,
    _base_.pack_test,
]
val_dataloader = dict(dataset=dict(pipeline=_wide_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_wide_pipeline))
