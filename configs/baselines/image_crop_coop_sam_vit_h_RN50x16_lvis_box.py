# Image-crop with CoOp, SAM ViT-H and CLIP RN50x16: LVIS v1, boxes.
_base_ = ['./image_crop_sam_vit_h_RN50x16_lvis_box.py']

model = dict(context=_base_.context)
load_from = 'checkpoints/image_crop_coop_RN50x16_lvis.pth'
