# OVSAM behind a detector of the base classes: both name an object.
_base_ = ['./detected_agnostic.py']

model = dict(
    _base_.behind_base_detector,
    naming=dict(type='FusedLabel'),
    nms=dict(type='nms', iou_threshold=0.6),
)
