# OVSAM on LAION's CLIP ConvNeXt-L.
_base_ = ['./ovsam.py']

clip = dict(
    arch='convnext_large_d_320',
    init_cfg=dict(checkpoint='checkpoints/clip_convnext_large_d_320.pth'),
)
levels = dict(in_channels=[192, 384, 768, 1536])

sam2clip = dict(backbone=clip, neck=levels)
ovsam = fused = dict(
    backbone=clip,
    text_encoder=clip,
    neck=dict(levels, init_cfg=dict(checkpoint='checkpoints/sam2clip_convnext_large_d_320.pth')),
    label_head=dict(levels, embed_dims=768),
)
