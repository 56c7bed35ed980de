# Image-crop with CoOp: the masks' centre points, among the base and novel names.
_base_ = ['./image_crop_box.py']

model = dict(context=_base_.context, prompter=dict(type='CenterPointPrompter'))
load_from = _base_.weights + 'image_crop_coop.pth'
