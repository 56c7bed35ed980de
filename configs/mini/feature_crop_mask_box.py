# Feature-crop that pools the mask's cells: boxes, among the base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(type='MaskFeatureCropSAM')
