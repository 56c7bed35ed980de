# Mask R-CNN R50, whose boxes are used, in front of OVSAM, CLIP RN50x16, on COCO: its names.
_base_ = [
    'mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py',
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
            'v2.0/mask_rcnn/'
            'mask_rcnn_r50_fpn_1x_coco/mask_rcnn_r50_fpn_1x_coco_20200205-d4b0c5d6.pth',
        ),
    ),
    detector_pipeline=_base_.test_pipeline,
    segmenter=dict(_base_.fused, vocabulary=_base_.coco_pack, init_cfg=_base_.learned_on_coco),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
