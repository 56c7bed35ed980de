# OVSAM on OpenAI's CLIP RN50x64, whose text tower has QuickGELU.
_base_ = ['./ovsam.py']

clip = dict(arch='RN50x64-quickgelu', init_cfg=dict(checkpoint='checkpoints/clip_RN50x64.pth'))
levels = dict(in_channels=[512, 1024, 2048, 4096])

sam2clip = dict(backbone=clip, neck=levels)
ovsam = fused = dict(
    backbone=clip,
    text_encoder=clip,
    neck=dict(levels, init_cfg=dict(checkpoint='checkpoints/sam2clip_RN50x64.pth')),
    label_head=dict(levels, embed_dims=1024),
)
