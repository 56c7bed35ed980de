# Yardstick: SAM's mask, frozen CLIP on the crop; boxes, among the base and novel names.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split')
model = dict(
    type='ImageCropSAM',
    data_preprocessor=_base_.preprocessor,
    image_encoder=_base_.pretrained_sam_image_encoder,
    prompt_encoder=_base_.pretrained_prompt_encoder,
    mask_decoder=_base_.pretrained_mask_decoder,
    backbone=_base_.backbone,
    text_encoder=_base_.text_encoder,
    templates=_base_.templates,
    vocabulary=split_names,
    box='prompt',
    mask_cleaning=_base_.mask_cleaning,
    prompter=dict(type='BoxPrompter'),
)
val_dataloader = dict(dataset=dict(vocabulary=split_names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=split_names))
