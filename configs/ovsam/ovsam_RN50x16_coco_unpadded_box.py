# OVSAM, CLIP RN50x16, on COCO, images encoded without their padding, not as published: boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.fused,
    vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'),
    skip_padding=True,
)
load_from = 'checkpoints/clip2sam_RN50x16_coco.pth'
