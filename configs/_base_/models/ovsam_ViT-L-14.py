# OVSAM on OpenAI's CLIP ViT-L/14, which has QuickGELU. All levels have the transformer's width.
_base_ = ['./ovsam.py']

clip = dict(arch='ViT-L-14-quickgelu', init_cfg=dict(checkpoint='checkpoints/clip_ViT-L-14.pth'))
levels = dict(in_channels=[1024, 1024, 1024, 1024])

sam2clip = dict(backbone=clip, neck=levels)
ovsam = fused = dict(
    backbone=clip,
    text_encoder=clip,
    neck=dict(levels, init_cfg=dict(checkpoint='checkpoints/sam2clip_ViT-L-14.pth')),
    label_head=dict(levels, embed_dims=768),
)
