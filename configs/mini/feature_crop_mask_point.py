# Yardstick: SAM's mask, frozen CLIP's features in it; centre points, base and novel names.
_base_ = ['./feature_crop_mask_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
