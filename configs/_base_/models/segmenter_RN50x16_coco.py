# OVSAM with CLIP RN50x16, its weights and COCO's names, to stand behind a detector.
_base_ = ['./ovsam_RN50x16.py']

segmenter = dict(
    _base_.ovsam,
    vocabulary=dict(type='VocabularyPack', name='coco', seen='base'),
    score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
    init_cfg=dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_coco.pth'),
)
