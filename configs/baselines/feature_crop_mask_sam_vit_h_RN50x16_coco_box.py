# Feature-crop that pools the mask's cells, SAM ViT-H and CLIP RN50x16: COCO, boxes.
_base_ = ['./feature_crop_sam_vit_h_RN50x16_coco_box.py']

model = dict(type='MaskFeatureCropSAM')
