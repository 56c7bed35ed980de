# OVSAM at paper scale, but for what depends on the CLIP: ovsam_<CLIP>.py.
image_size = 1024
sam_weights = 'checkpoints/sam_vit_h.pth'
sam_decoder_weights = 'checkpoints/sam_vit_h_decoder.pth'  # the same without the image encoder
preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_size_divisor=image_size,
    pad_mask=True,
)

# SAM ViT-H, SAM2CLIP's teacher.
sam_image_encoder = dict(
    type='SAMImageEncoder',
    arch='huge',
    img_size=image_size,
    init_cfg=dict(type='Pretrained', checkpoint=sam_weights, prefix='image_encoder.'),
)
prompt_encoder = dict(
    type='SAMPromptEncoder',
    image_size=image_size,
    init_cfg=dict(type='Pretrained', checkpoint=sam_weights, prefix='prompt_encoder.'),
)
mask_decoder = dict(
    type='SAMMaskDecoder',
    init_cfg=dict(type='Pretrained', checkpoint=sam_weights, prefix='mask_decoder.'),
)

# Frozen CLIP, and the adapter on its four levels.
clip_weights = dict(type='Pretrained', prefix='clip.')
backbone = dict(type='CLIPBackbone', init_cfg=clip_weights)
text_encoder = dict(type='CLIPTextEncoder', init_cfg=clip_weights)
neck = dict(
    type='SAM2CLIPAdapter',
    embed_dims=1280,
    depth=5,
    num_heads=16,
    window_size=14,
    global_attn_indexes=[4],
    img_size=image_size,
)

# Stage 1. In evaluation: SAM's own decoder on the adapter's embedding.
sam2clip = dict(
    type='SAM2CLIPDistiller',
    data_preprocessor=preprocessor,
    backbone=backbone,
    neck=neck,
    teacher=sam_image_encoder,
    prompt_encoder=prompt_encoder,
    mask_decoder=mask_decoder,
    prompter=dict(type='BoxPrompter'),
)

# Stage 2, which starts from SAM's decoder, and OVSAM itself.
ovsam = dict(
    type='OVSAM',
    data_preprocessor=preprocessor,
    backbone=backbone,
    neck=dict(neck, init_cfg=dict(type='Pretrained', prefix='neck.')),
    prompt_encoder=dict(
        prompt_encoder, init_cfg=dict(prompt_encoder['init_cfg'], checkpoint=sam_decoder_weights)
    ),
    mask_decoder=dict(
        mask_decoder,
        num_mask_tokens=1,
        iou_token=False,
        label_token=True,
        init_cfg=dict(mask_decoder['init_cfg'], checkpoint=sam_decoder_weights),
    ),
    label_head=dict(type='CLIP2SAMHead', fpn_channels=256, roi_size=12),
    text_encoder=text_encoder,
    templates='vild',
    label_loss=dict(type='CLIP2SAMLoss', num_points=12544),
    train_prompter=dict(
        type='MixedPrompter',
        max_instances=40,
        probabilities=[0.5, 0.5],
        prompters=[dict(type='BoxPrompter'), dict(type='RandomPointPrompter')],
    ),
    frozen=['backbone', 'neck', 'prompt_encoder', 'text_encoder'],
)

# As it is tested: fused with frozen CLIP's opinion.
fused = dict(ovsam, score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9))

# Stage 3: SAM's decoder of four masks and their quality, names by a head that has learned them.
interactive = dict(
    fused,
    mask_decoder=dict(ovsam['mask_decoder'], num_mask_tokens=4, iou_token=True, label_token=False),
    label_head=dict(ovsam['label_head'], init_cfg=dict(type='Pretrained', prefix='label_head.')),
    mask_choice=dict(type='AmbiguityAwareChoice'),
    frozen=['backbone', 'neck', 'label_head', 'text_encoder'],
)

# The crop yardsticks: SAM ViT-H and CLIP, both frozen. CLIP gets the colours that it was trained
# on; CoOp's context has 16 vectors.
clip_input = dict(
    type='ChangeNormalization',
    mean=preprocessor['mean'],
    std=preprocessor['std'],
    new_mean=[122.771, 116.746, 104.094],
    new_std=[68.501, 66.632, 70.323],
)
context = dict(type='LearnedContext', num_tokens=16)
crop_sam = dict(
    data_preprocessor=preprocessor,
    image_encoder=sam_image_encoder,
    prompt_encoder=prompt_encoder,
    mask_decoder=mask_decoder,
    backbone=backbone,
    clip_input=clip_input,
    text_encoder=text_encoder,
    templates=ovsam['templates'],
    prompter=dict(type='BoxPrompter'),
)
