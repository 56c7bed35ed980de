# OVSAM behind a detector of objects of any kind: OVSAM's names, among the base and novel ones.
# Beside it, the same with annotated boxes of the objects that the detector found.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/models/mini_detector.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split', seen='all_but_novel')
model = dict(
    type='FoundObjectsOVSAM',
    detector=dict(
        _base_.detector,
        init_cfg=dict(type='Pretrained', checkpoint=_base_.weights + 'detector_agnostic.pth'),
    ),
    segmenter=dict(
        _base_.ovsam,
        vocabulary=split_names,
        score_fusion=_base_.demo_fusion,
        init_cfg=dict(type='Pretrained', checkpoint=_base_.weights + 'clip2sam_joint.pth'),
    ),
    naming=dict(type='SegmenterLabel'),
)
# Scenes of other names hold objects that a detector would be blamed for finding.
val_dataloader = dict(
    dataset=dict(
        type='ClosedVocabularyCocoDataset',
        vocabulary=split_names,
        pipeline=_base_.raw_pipeline,
        indices=None,
    )
)
test_dataloader = dict(
    dataset=dict(
        type='ClosedVocabularyCocoDataset', vocabulary=split_names, pipeline=_base_.raw_pipeline
    )
)
val_evaluator = dict(
    _delete_=True, type='FoundObjectsMetric', ann_file=_base_.data_root + 'annotations/val.json'
)
test_evaluator = dict(
    _delete_=True, type='FoundObjectsMetric', ann_file=_base_.data_root + 'annotations/test.json'
)
# For leaves whose detector and head have learned the base classes only.
behind_base_detector = dict(
    detector=dict(
        bbox_head=dict(num_classes=40),
        init_cfg=dict(checkpoint=_base_.weights + 'detector_base.pth'),
    ),
    detector_names=dict(type='PictogramVocabulary', group='base'),
    segmenter=dict(
        vocabulary=dict(type='PictogramVocabulary', group='split', seen='base'),
        score_fusion=_base_.base_fusion,
        init_cfg=dict(checkpoint=_base_.weights + 'clip2sam_base.pth'),
    ),
)
