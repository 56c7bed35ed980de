# OVSAM, CLIP RN50x16, on COCO, masks from the mirrored image, too: boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.fused,
    type='MirroredOVSAM',
    vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'),
)
load_from = 'checkpoints/clip2sam_RN50x16_coco.pth'
