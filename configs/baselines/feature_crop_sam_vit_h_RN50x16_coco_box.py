# Yardstick: SAM ViT-H's mask, frozen CLIP RN50x16's features in its box; COCO, boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.crop_sam,
    type='FeatureCropSAM',
    vocabulary=_base_.split_names,
)
