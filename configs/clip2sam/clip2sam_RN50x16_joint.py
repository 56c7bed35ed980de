# Stage 2, CLIP RN50x16: CLIP2SAM on the large vocabulary of several sources.
_base_ = [
    '../_base_/iter_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/joint.py',
    '../_base_/schedules/joint_150k.py',
]

# For all of a source's names at a time: names=dict(type='SampledNames', num=1000) of these.
model = dict(
    _base_.ovsam,
    type='JointOVSAM',
    data_preprocessor=dict(_base_.preprocessor, type='JointDataPreprocessor'),
    vocabulary=_base_.joint_names,
    compared=dict(type='JudgedNames'),
    prompter=dict(type='BoxPrompter'),
)
