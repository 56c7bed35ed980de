# OVSAM behind a detector of the base classes: both name an object.
_base_ = ['./detected_agnostic.py']

split_names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(
    detector=dict(
        bbox_head=dict(num_classes=40),
        init_cfg=dict(checkpoint=_base_.weights + 'detector_base.pth'),
    ),
    detector_names=dict(type='PictogramVocabulary', group='base'),
    segmenter=dict(
        vocabulary=split_names,
        score_fusion=_base_.base_fusion,
        init_cfg=dict(checkpoint=_base_.weights + 'clip2sam_base.pth'),
    ),
    naming=dict(type='FusedLabel'),
    nms=dict(type='nms', iou_threshold=0.6),
)
