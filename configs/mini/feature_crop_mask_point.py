# Feature-crop that pools the mask's cells: the masks' centre points, among the base and novel names.
_base_ = ['./feature_crop_mask_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
