# Image-crop, SAM ViT-H and CLIP RN50x16: COCO, centre points.
_base_ = ['./image_crop_sam_vit_h_RN50x16_coco_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
