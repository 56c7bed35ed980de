# Detections from a file, named by OVSAM, CLIP RN50x16, among COCO's 48 base and 17 novel classes:
# the generalised protocol.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/models/behind_detector.py',
    '../_base_/datasets/coco.py',
]

model = dict(
    type='DetectorPromptedOVSAM',
    detector=_base_.coco_detections,
    segmenter=dict(_base_.fused, vocabulary=_base_.split_names, init_cfg=_base_.learned_on_coco),
    **_base_.named_by_ovsam,
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
