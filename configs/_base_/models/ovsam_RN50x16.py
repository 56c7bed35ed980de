# OVSAM on OpenAI's CLIP RN50x16, whose text tower has QuickGELU.
_base_ = ['./ovsam.py']

clip = dict(arch='RN50x16-quickgelu', init_cfg=dict(checkpoint='checkpoints/clip_RN50x16.pth'))
levels = dict(in_channels=[384, 768, 1536, 3072])

sam2clip = dict(backbone=clip, neck=levels)
ovsam = fused = dict(
    backbone=clip,
    text_encoder=clip,
    neck=dict(levels, init_cfg=dict(checkpoint='checkpoints/sam2clip_RN50x16.pth')),
    label_head=dict(levels, embed_dims=768),
)
interactive = dict(
    ovsam,
    label_head=dict(
        ovsam['label_head'], init_cfg=dict(checkpoint='checkpoints/clip2sam_RN50x16_coco.pth')
    ),
)
crop_sam = dict(backbone=clip, text_encoder=clip)
