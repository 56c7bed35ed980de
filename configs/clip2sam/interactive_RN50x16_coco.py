# Stage 3, CLIP RN50x16: SAM's decoder and prompt encoder learn corrections on CLIP's features, on
# COCO's 48 base classes. Names stay those of clip2sam_RN50x16_coco.py.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/clip2sam_12e.py',
]

model = dict(
    _base_.interactive,
    type='InteractiveOVSAM',
    vocabulary=_base_.base_names,
    prompter=dict(type='BoxPrompter'),
    label_loss=None,
    mask_loss=dict(type='LowestMaskLoss'),
    # Each is asked about in four rounds.
    train_prompter=dict(_base_.interactive.train_prompter, max_instances=10),
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
