# OVSAM behind a detector of the base classes: both name an object.
_base_ = ['./detected_base.py']

model = dict(naming=dict(type='FusedLabel'), nms=dict(type='nms', iou_threshold=0.6))
