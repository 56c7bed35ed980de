# Feature-crop with CoOp: boxes, among the base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(type='FeatureCropSAM', context=_base_.context)
load_from = _base_.weights + 'feature_crop_coop.pth'
