# Yardstick: SAM's mask, frozen CLIP's features pooled in its box; among the base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(type='FeatureCropSAM')
