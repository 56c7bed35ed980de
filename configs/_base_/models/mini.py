# The miniature SAM, CLIP and OVSAM: the published modules at 256 x 256 pixels and 96 channels.
# The embedding has stride 8, not 16, so that masks have 128 x 128 logits: small objects need them.
domain = 'pictograms'  # what the weights know; those who show results say so
weights = '{{$OVSAM_MINI_WEIGHTS:checkpoints/mini}}/'
image_size = 256
embed_dims = 96
mean = [123.675, 116.28, 103.53]
std = [58.395, 57.12, 57.375]
templates = [
    '{}',
    'a {}',
    'a photo of a {}',
    'a picture of a {}',
    'a drawing of a {}',
    'a small {}',
    'a large {}',
    'there is a {} in the scene',
]
all_names = dict(type='PictogramVocabulary')
preprocessor = dict(
    type='DetDataPreprocessor',
    mean=mean,
    std=std,
    bgr_to_rgb=True,
    pad_size_divisor=image_size,
    pad_mask=True,
)

# Half the prompts of a training are boxes, half are points.
train_prompter = dict(
    type='MixedPrompter',
    max_instances=4,
    probabilities=[0.5, 0.5],
    prompters=[dict(type='JitteredBoxPrompter'), dict(type='RandomPointPrompter')],
)

# An object ends where its box does; stray pixels spoil the box of a mask, and so its name.
mask_cleaning = [dict(type='InsideBox', margin=0.05), dict(type='LargeParts', min_share=0.05)]

# SAM: the teacher and its decoder. Convolutions learn from thousands of scenes what a vision
# transformer needs millions for.
sam_image_encoder = dict(
    type='PyramidImageEncoder',
    out_channels=embed_dims,
    backbone=dict(
        type='ResNet',
        depth=18,
        deep_stem=True,
        base_channels=24,
        out_indices=(1, 2, 3),
        norm_eval=False,
        norm_cfg=dict(type='BN'),
    ),
    neck=dict(type='FPN', in_channels=[48, 96, 192], out_channels=embed_dims, num_outs=3),
)
prompt_encoder = dict(
    type='SAMPromptEncoder', embed_dims=embed_dims, image_size=image_size, embedding_stride=8
)
mask_decoder = dict(
    type='SAMMaskDecoder',
    embed_dims=embed_dims,
    num_mask_tokens=1,
    iou_token=True,
    transformer=dict(depth=2, num_heads=4, mlp_dim=256, downsample=1),
)
pretrained_sam_image_encoder = dict(
    sam_image_encoder,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'sam.pth', prefix='image_encoder.'),
)
pretrained_prompt_encoder = dict(
    prompt_encoder,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'sam.pth', prefix='prompt_encoder.'),
)
pretrained_mask_decoder = dict(
    mask_decoder,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'sam.pth', prefix='mask_decoder.'),
)

# CLIP, frozen: open_clip's own classes in small.
mini_clip = dict(
    embed_dim=128,
    standardize_images=True,
    vision_cfg=dict(image_size=64, layers=[1, 2, 2, 1], width=24, head_width=32),
    text_cfg=dict(context_length=16, vocab_size=4610, width=64, heads=2, layers=2),
    tokenizer=dict(merges=4096),
)
clip_weights = dict(type='Pretrained', checkpoint=weights + 'clip.pth', prefix='clip.')
# Here most masks have none of the 8 x 8 cells: see docs/results.md.
backbone = dict(type='CLIPBackbone', arch=mini_clip, small_masks='box', init_cfg=clip_weights)
text_encoder = dict(type='CLIPTextEncoder', arch=mini_clip, init_cfg=clip_weights)
clip_channels = [96, 192, 384, 768]

# SAM2CLIP.
neck = dict(
    type='SAM2CLIPAdapter',
    in_channels=clip_channels,
    embed_dims=96,
    depth=3,
    num_heads=2,
    window_size=8,
    global_attn_indexes=[2],
    img_size=image_size,
    stride=8,
    out_channels=embed_dims,
)
pretrained_neck = dict(
    neck,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'sam2clip_masks.pth', prefix='neck.'),
)

# CLIP2SAM.
label_head = dict(
    type='CLIP2SAMHead',
    in_channels=clip_channels,
    embed_dims=128,
    fpn_channels=96,
    roi_size=7,
    finest_scale=24,
    projection=dict(type='FlattenedProjection', conv_channels=32, hidden_dims=120),
)
ovsam = dict(
    type='OVSAM',
    data_preprocessor=preprocessor,
    backbone=backbone,
    neck=pretrained_neck,
    prompt_encoder=pretrained_prompt_encoder,
    mask_decoder=dict(pretrained_mask_decoder, label_token=True),
    label_head=label_head,
    text_encoder=text_encoder,
    templates=templates,
    vocabulary=all_names,
    # A prompted box says better where the object is than the box of a mask that is 80% right.
    head_box='prompt',
    mask_cleaning=mask_cleaning,
    label_loss=dict(type='CLIP2SAMLoss', num_points=3136),
    train_prompter=train_prompter,
    frozen=['backbone', 'neck', 'prompt_encoder', 'text_encoder'],
    prompter=dict(type='BoxPrompter'),
    # Its masks are worse than SAM's and it says so: SAM's thresholds would leave nothing.
    everything=dict(pred_iou_thresh=0.5, stability_score_thresh=0.6, box_nms_thresh=0.5),
)

# Its several masks and their quality come with interactive.pth, its names with clip2sam_joint.pth.
interactive = dict(
    ovsam,
    prompt_encoder=dict(prompt_encoder, init_cfg=None),
    mask_decoder=dict(mask_decoder, label_token=True, num_mask_tokens=4, init_cfg=None),
    label_head=dict(
        label_head,
        init_cfg=dict(
            type='Pretrained', checkpoint=weights + 'clip2sam_joint.pth', prefix='label_head.'
        ),
    ),
    mask_choice=dict(type='AmbiguityAwareChoice'),
    frozen=['backbone', 'neck', 'label_head', 'text_encoder'],
)

# The crop yardsticks: SAM and CLIP, both frozen.
crop_sam = dict(
    data_preprocessor=preprocessor,
    image_encoder=pretrained_sam_image_encoder,
    prompt_encoder=pretrained_prompt_encoder,
    mask_decoder=pretrained_mask_decoder,
    backbone=backbone,
    text_encoder=text_encoder,
    templates=templates,
    box='prompt',
    mask_cleaning=mask_cleaning,
    prompter=dict(type='BoxPrompter'),
)

# The share of CLIP's opinion on names that CLIP2SAM has seen and on others, chosen on validation
# scenes by tools/tune_fusion.py for clip2sam_joint.pth.
demo_fusion = dict(type='GeometricFusion', seen=0.4, unseen=0.6)
base_fusion = dict(type='GeometricFusion', seen=0.5, unseen=0.9)  # for clip2sam_base.pth

# What names are taught by, of clip2sam_joint.pth and clip2sam_base.pth, by tools/fit_examples.py.
example_space = dict(
    type='ExampleSpace',
    embed_dims=128,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'examples.pth'),
)
base_example_space = dict(
    example_space, init_cfg=dict(type='Pretrained', checkpoint=weights + 'examples_base.pth')
)

# CoOp: this text tower reads 16 tokens, so four for the context, and knows names without full stop.
context = dict(type='LearnedContext', num_tokens=4, words='a photo of a', suffix='')
