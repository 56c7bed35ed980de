# Detections from a file in front of OVSAM, CLIP RN50x16, on COCO: the file's names.
_base_ = [
    '../_base_/epoch_runtime.py',
    'mmdet::_base_/datasets/coco_instance.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/models/behind_detector.py',
]

model = dict(
    type='DetectorPromptedOVSAM',
    detector=_base_.coco_detections,
    segmenter=dict(_base_.fused, vocabulary=_base_.coco_pack, init_cfg=_base_.learned_on_coco),
)
test_cfg = dict()
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
