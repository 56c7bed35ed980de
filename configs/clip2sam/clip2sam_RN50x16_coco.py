# Stage 2, CLIP RN50x16: CLIP2SAM and the mask decoder on COCO's 48 base classes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/clip2sam_12e.py',
]

model = dict(_base_.ovsam, vocabulary=_base_.base_names, prompter=dict(type='BoxPrompter'))
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
