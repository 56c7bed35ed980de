# Yardstick: SAM ViT-H's mask, frozen CLIP RN50x16 on its crop; LVIS v1, boxes.
_base_ = ['../_base_/epoch_runtime.py', '../_base_/models/ovsam_RN50x16.py',
          '../_base_/datasets/lvis.py']

model = dict(
    type='ImageCropSAM', data_preprocessor=_base_.preprocessor,
    image_encoder=_base_.sam_image_encoder, prompt_encoder=_base_.prompt_encoder,
    mask_decoder=_base_.mask_decoder, backbone=_base_.ovsam.backbone,
    clip_input=_base_.clip_input, text_encoder=_base_.ovsam.text_encoder,
    templates=_base_.ovsam.templates, vocabulary=_base_.split_names,
    prompter=dict(type='BoxPrompter'))
