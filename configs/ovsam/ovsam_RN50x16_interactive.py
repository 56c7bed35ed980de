# OVSAM, CLIP RN50x16, with SAM's decoder of four masks and their quality; boxes, COCO's names.
# Corrections are learned by clip2sam/interactive_RN50x16_coco.py; without, the decoder is SAM's.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    _base_.ovsam,
    vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'),
    mask_decoder=dict(
        _base_.ovsam.mask_decoder, num_mask_tokens=4, iou_token=True, label_token=False
    ),
    label_head=dict(
        _base_.ovsam.label_head,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='checkpoints/clip2sam_RN50x16_coco.pth',
            prefix='label_head.',
        ),
    ),
    mask_choice=dict(type='AmbiguityAwareChoice'),
    score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
    frozen=['backbone', 'neck', 'label_head', 'text_encoder'],
)
