# Stage 3, CLIP RN50x16: SAM's decoder and prompt encoder learn corrections on CLIP's features, on
# COCO's 48 base classes. Names stay those of clip2sam_RN50x16_coco.py.
_base_ = ['../ovsam/ovsam_RN50x16_interactive.py', '../_base_/schedules/clip2sam_12e.py']

model = dict(
    type='InteractiveOVSAM',
    vocabulary=_base_.base_names,
    label_loss=None,
    mask_loss=dict(type='LowestMaskLoss'),
    train_prompter=dict(max_instances=10),
)  # each is asked about in four rounds
val_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
