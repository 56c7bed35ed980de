# Detections from a file, named by OVSAM, CLIP RN50x16, among LVIS's classes: AP of rare, common and
# frequent ones.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/models/behind_detector.py',
    '../_base_/datasets/lvis.py',
]

ann_file = _base_.data_root + 'lvis/annotations/lvis_v1_val.json'
model = dict(
    type='DetectorPromptedOVSAM',
    detector=dict(
        type='DetectionsFromFile',
        file='data/detections/lvis_v1_val.json',
        ann_file=ann_file,
        max_per_img=300,
    ),
    segmenter=dict(
        _base_.fused,
        vocabulary=_base_.split_names,
        init_cfg=dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_lvis.pth'),
    ),
    **_base_.named_by_ovsam,
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(
    _delete_=True, type='OVLVISMetric', ann_file=ann_file, metric=['bbox', 'segm']
)
