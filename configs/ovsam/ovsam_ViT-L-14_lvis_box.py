# OVSAM, CLIP ViT-L-14, on LVIS v1, rare classes novel: boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_ViT-L-14.py',
    '../_base_/datasets/lvis.py',
]

model = dict(_base_.fused, vocabulary=_base_.split_names, prompter=dict(type='BoxPrompter'))
load_from = 'checkpoints/clip2sam_ViT-L-14_lvis.pth'
