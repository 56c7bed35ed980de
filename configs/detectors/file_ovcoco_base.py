# Detections from a file, named by OVSAM among COCO's base classes: the constrained protocol.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/models/behind_detector.py',
    '../_base_/datasets/coco.py',
]

names = dict(type='COCOSplitVocabulary', group='base')
model = dict(
    type='DetectorPromptedOVSAM',
    detector=_base_.coco_detections,
    segmenter=dict(_base_.fused, vocabulary=names, init_cfg=_base_.learned_on_coco),
    **_base_.named_by_ovsam,
)
test_dataloader = dict(dataset=dict(vocabulary=names, pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
