# Feature-crop with CoOp: the masks' centre points, among the base and novel names.
_base_ = ['./feature_crop_coop_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
