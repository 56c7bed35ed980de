# Image-crop with CoOp, SAM ViT-H and CLIP RN50x16: LVIS v1, centre points.
_base_ = ['./image_crop_coop_sam_vit_h_RN50x16_lvis_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
