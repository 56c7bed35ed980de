# CoOp for the image-crop yardstick: a context of CLIP RN50x16, learned on LVIS v1's frequent and
# common classes, 256 of them told apart in a step.
_base_ = ['./image_crop_sam_vit_h_RN50x16_lvis_box.py', '../_base_/schedules/coop_4e.py']

model = dict(
    vocabulary=_base_.base_names,
    context=dict(_base_.context, names_per_step=256),
    train_prompter=dict(type='BoxPrompter', max_instances=40),
)
val_dataloader = dict(dataset=dict(vocabulary=_base_.base_names))
