# Detections from a file, named by OVSAM, CLIP RN50x16, among COCO's 48 base and 17 novel classes:
# the generalised protocol.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/coco.py',
]

ann_file = _base_.data_root + 'annotations/instances_val2017.json'
model = dict(
    type='DetectorPromptedOVSAM',
    detector=dict(
        type='DetectionsFromFile', file='data/detections/coco_val2017.json', ann_file=ann_file
    ),
    segmenter=dict(
        _base_.ovsam,
        vocabulary=_base_.split_names,
        score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
        init_cfg=dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_coco.pth'),
    ),
    naming=dict(type='SegmenterLabel'),
    nms=dict(type='nms', iou_threshold=0.6),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.raw_pipeline))
test_evaluator = dict(
    _delete_=True, type='VocabularyCocoMetric', ann_file=ann_file, metric=['bbox', 'segm']
)
