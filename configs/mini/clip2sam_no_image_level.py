# What clip2sam_image_level.py is compared with: as many steps on scenes, and no pictures.
_base_ = ['./clip2sam_image_level.py']

max_iters = 450

model = dict(vocabulary=dict(_base_.scene_names, _delete_=True))
train_dataloader = dict(
    batch_sampler=dict(batch_sizes=None),
    dataset=dict(vocabulary=dict(_base_.scene_names, _delete_=True), sources=[_base_.scenes]),
)
val_dataloader = test_dataloader = dict(
    dataset=dict(vocabulary=dict(_base_.scene_names, _delete_=True))
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [_base_.param_scheduler[0], dict(_base_.param_scheduler[1], end=max_iters)]
