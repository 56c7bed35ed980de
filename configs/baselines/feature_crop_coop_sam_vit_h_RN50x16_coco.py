# CoOp for the feature-crop yardstick: a context of CLIP RN50x16, learned on COCO's 48 base classes.
_base_ = ['./feature_crop_sam_vit_h_RN50x16_coco_box.py', '../_base_/schedules/coop_4e.py']

model = dict(
    vocabulary=_base_.base_names,
    context=_base_.context,
    train_prompter=dict(type='BoxPrompter', max_instances=40),
)
val_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
