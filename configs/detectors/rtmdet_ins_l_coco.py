# RTMDet-Ins-L, whose boxes are used, in front of OVSAM, CLIP RN50x16, on COCO: the detector's
# names.
_base_ = [
    'mmdet::rtmdet/rtmdet-ins_l_8xb32-300e_coco.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/models/behind_detector.py',
]

model = dict(
    _delete_=True,
    type='DetectorPromptedOVSAM',
    detector=dict(
        _base_.model,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmdetection/'
            'v3.0/rtmdet/rtmdet-ins_l_8xb32-300e_coco/'
            'rtmdet-ins_l_8xb32-300e_coco_20221124_103237-78d1d652.pth',
        ),
    ),
    detector_pipeline=_base_.test_pipeline,
    segmenter=dict(_base_.fused, vocabulary=_base_.coco_pack, init_cfg=_base_.learned_on_coco),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
