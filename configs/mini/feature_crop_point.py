# Feature-crop yardstick: the masks' centre points, among the base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(type='FeatureCropSAM', prompter=dict(type='CenterPointPrompter'))
