# SAM's decoder on the embedding of the adapter that has learned masks, too; the masks' centres.
_base_ = ['./sam2clip.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
load_from = _base_.weights + 'sam2clip_masks.pth'
