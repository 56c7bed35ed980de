# CoOp for the image-crop yardstick: a context of CLIP RN50x16, learned on LVIS v1's frequent and
# common classes, 256 of them told apart in a step.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/lvis.py',
    '../_base_/schedules/coop_4e.py',
]

model = dict(
    _base_.crop_sam,
    type='ImageCropSAM',
    vocabulary=_base_.base_names,
    context=dict(_base_.context, names_per_step=256),
    train_prompter=dict(type='BoxPrompter', max_instances=40),
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
