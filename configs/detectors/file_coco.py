# Detections from a file in front of OVSAM, CLIP RN50x16, on COCO: the file's names.
_base_ = [
    '../_base_/epoch_runtime.py',
    'mmdet::_base_/datasets/coco_instance.py',
    '../_base_/models/segmenter_RN50x16_coco.py',
]

ann_file = _base_.data_root + 'annotations/instances_val2017.json'
model = dict(
    type='DetectorPromptedOVSAM',
    detector=dict(
        type='DetectionsFromFile', file='data/detections/coco_val2017.json', ann_file=ann_file
    ),
    segmenter=_base_.segmenter,
)
test_cfg = dict()
test_dataloader = dict(dataset=dict(pipeline=_base_.raw_pipeline))
