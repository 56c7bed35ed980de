# The small CLIP: from sentences about ImageNet's classes to the rows of the tower's classifier; by
# tools/fit_names.py.
_base_ = ['../_base_/default_runtime.py', '../_base_/models/photo.py']

held_out = []  # synsets of classes that are not learned on
ridge = 0.1
model = dict(
    _base_.ovsam,
    text_encoder=dict(
        _base_.text_encoder, projection=dict(_base_.text_encoder.projection, init_cfg=None)
    ),
)
