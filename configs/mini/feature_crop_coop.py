# CoOp for the feature-crop yardstick: a context in front of names, learned on the base classes.
_base_ = ['./image_crop_coop.py']

model = dict(type='FeatureCropSAM')
