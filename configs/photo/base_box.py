# The protocol of base and novel names: boxes; fused with the frozen tower.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/photo.py',
    '../_base_/datasets/photo.py',
]

model = dict(
    _base_.ovsam,
    vocabulary=_base_.split_names,
    text_encoder=dict(_base_.text_encoder, projection=_base_.honest_projection),
    score_fusion=_base_.photo_fusion,
    frozen=['backbone', 'text_encoder'],
)
load_from = _base_.weights + 'base.pth'
