# SAM ViT-H's decoder on the adapter's embedding, CLIP convnext_large_d_320: COCO, boxes, no names.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_convnext_large_d_320.py',
    '../_base_/datasets/coco.py',
]

model = _base_.sam2clip
load_from = 'checkpoints/sam2clip_convnext_large_d_320.pth'
