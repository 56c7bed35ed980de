# CoOp for the feature-crop yardstick: a context of CLIP RN50x16, learned on COCO's 48 base classes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/coop_4e.py',
]

model = dict(
    _base_.crop_sam,
    type='FeatureCropSAM',
    vocabulary=_base_.base_names,
    context=_base_.context,
    train_prompter=dict(type='BoxPrompter', max_instances=40),
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
