# Yardstick: SAM's mask, frozen CLIP on the crop; boxes, among the base and novel names.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split')
model = dict(_base_.crop_sam, type='ImageCropSAM', vocabulary=split_names)
val_dataloader = dict(dataset=dict(vocabulary=split_names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=split_names))
