# SAM's decoder on the adapter's embedding, on unseen scenes, prompted with the masks' centres.
_base_ = ['./sam2clip.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
load_from = _base_.weights + 'sam2clip.pth'
