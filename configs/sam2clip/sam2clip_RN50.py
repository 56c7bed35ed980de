# Stage 1, CLIP RN50: the adapter learns SAM ViT-H's image embedding on 1% of SA-1B.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50.py',
    '../_base_/datasets/sa1b.py',
    '../_base_/schedules/sam2clip_24e.py',
]

model = _base_.sam2clip
