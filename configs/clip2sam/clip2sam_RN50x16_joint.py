# Stage 2, CLIP RN50x16: CLIP2SAM on the large vocabulary of several sources. The steps are not
# published; these are as many with masks as 12 epochs of LVIS have, and as many without.
_base_ = ['../_base_/iter_runtime.py', '../_base_/models/ovsam_RN50x16.py',
          '../_base_/datasets/joint.py', '../_base_/schedules/clip2sam_12e.py']

max_iters = 150_000

# For all of a source's names at a time: names=dict(type='SampledNames', num=1000) of these.
model = dict(
    _base_.ovsam, type='JointOVSAM', vocabulary=_base_.joint_names,
    compared=dict(type='JudgedNames'), prompter=dict(type='BoxPrompter'))
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=max_iters, val_interval=50_000)
param_scheduler = dict(
    by_epoch=False, end=max_iters, milestones=[max_iters * 8 // 12, max_iters * 11 // 12])
