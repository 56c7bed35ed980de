# What clip2sam_image_level.py is compared with: as many steps on the same scenes, and no pictures.
_base_ = ['./clip2sam_image_level.py']

model = dict(vocabulary=dict(_base_.scene_names, _delete_=True))
train_dataloader = dict(
    batch_sampler=dict(batch_sizes=None),
    dataset=dict(vocabulary=dict(_base_.scene_names, _delete_=True), sources=[_base_.scenes]))
val_dataloader = dict(dataset=dict(vocabulary=dict(_base_.scene_names, _delete_=True)))
