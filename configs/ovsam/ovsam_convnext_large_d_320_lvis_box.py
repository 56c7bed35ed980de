# OVSAM, CLIP convnext_large_d_320, on LVIS v1, rare classes novel: boxes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_convnext_large_d_320.py',
    '../_base_/datasets/lvis.py',
]

model = dict(
    _base_.ovsam,
    vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'),
    score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
)
load_from = 'checkpoints/clip2sam_convnext_large_d_320_lvis.pth'
