# The miniature SAM on unseen scenes, prompted with the masks' centres.
_base_ = ['./sam.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
load_from = _base_.weights + 'sam.pth'
