# What the crop yardsticks have in common: SAM ViT-H and CLIP RN50x16, both frozen.
_base_ = ['./ovsam_RN50x16.py']

crop_sam = dict(
    data_preprocessor=_base_.preprocessor,
    image_encoder=_base_.sam_image_encoder,
    prompt_encoder=_base_.prompt_encoder,
    mask_decoder=_base_.mask_decoder,
    backbone=_base_.ovsam.backbone,
    clip_input=_base_.clip_input,
    text_encoder=_base_.ovsam.text_encoder,
    templates=_base_.ovsam.templates,
    prompter=dict(type='BoxPrompter'),
)
