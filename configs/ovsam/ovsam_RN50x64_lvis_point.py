# OVSAM, CLIP RN50x64, on LVIS v1, rare classes novel: centre points.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x64.py',
    '../_base_/datasets/lvis.py',
]

model = dict(_base_.fused, vocabulary=_base_.split_names, prompter=dict(type='CenterPointPrompter'))
load_from = 'checkpoints/clip2sam_RN50x64_lvis.pth'
