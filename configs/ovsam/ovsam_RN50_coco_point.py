# OVSAM, CLIP RN50, on COCO's 48 base and 17 novel classes: centre points.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50.py',
    '../_base_/datasets/coco.py',
]

model = dict(_base_.fused, vocabulary=_base_.split_names, prompter=dict(type='CenterPointPrompter'))
load_from = 'checkpoints/clip2sam_RN50_coco.pth'
