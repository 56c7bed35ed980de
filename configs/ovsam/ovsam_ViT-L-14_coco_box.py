# OVSAM, CLIP ViT-L-14, on COCO's 48 base and 17 novel classes: boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_ViT-L-14.py',
    '../_base_/datasets/coco.py',
]

model = dict(_base_.fused, vocabulary=_base_.split_names, prompter=dict(type='BoxPrompter'))
load_from = 'checkpoints/clip2sam_ViT-L-14_coco.pth'
