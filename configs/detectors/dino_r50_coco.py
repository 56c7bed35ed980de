# DINO R50 in front of OVSAM, CLIP RN50x16, on COCO: the detector's names.
_base_ = [
    'mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py',
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
            'v3.0/dino/dino-4scale_r50_8xb2-12e_coco/'
            'dino-4scale_r50_8xb2-12e_coco_20221202_182705-55b2bba2.pth',
        ),
    ),
    detector_pipeline=_base_.test_pipeline,
    segmenter=dict(_base_.fused, vocabulary=_base_.coco_pack, init_cfg=_base_.learned_on_coco),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
