# OVSAM, CLIP RN50x16, on COCO, where a name is in doubt read again from a crop: boxes.
# The margin is the small world's; choose it with tools/test.py --val, which prints the share.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.fused,
    vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'),
    second_look=dict(type='SecondLook', margin=1.5, surroundings=0.5, clip_input=_base_.clip_input),
)
load_from = 'checkpoints/clip2sam_RN50x16_coco.pth'
