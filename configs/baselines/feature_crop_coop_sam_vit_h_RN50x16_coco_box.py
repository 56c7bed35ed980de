# Feature-crop with CoOp, SAM ViT-H and CLIP RN50x16: COCO, boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.crop_sam,
    type='FeatureCropSAM',
    vocabulary=_base_.split_names,
    context=_base_.context,
)
load_from = 'checkpoints/feature_crop_coop_RN50x16_coco.pth'
