# Yardstick: SAM's mask, frozen CLIP's features in it; centre points, base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(type='MaskFeatureCropSAM', prompter=dict(type='CenterPointPrompter'))
