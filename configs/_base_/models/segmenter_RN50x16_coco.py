# OVSAM with CLIP RN50x16, its weights and COCO's names, to stand behind a detector, and the
# pipeline of test images for both: they resize for themselves.
_base_ = ['./ovsam_RN50x16.py']

segmenter = dict(
    _base_.ovsam,
    vocabulary=dict(type='VocabularyPack', name='coco', seen='base'),
    score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_coco.pth'),
)
raw_pipeline = [
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
