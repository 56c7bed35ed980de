# OVSAM, CLIP RN50x16, with SAM's decoder of four masks and their quality; boxes, COCO's names.
# Corrections are learned by clip2sam/interactive_RN50x16_coco.py; without, the decoder is SAM's.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(_base_.interactive, vocabulary=_base_.split_names, prompter=dict(type='BoxPrompter'))
