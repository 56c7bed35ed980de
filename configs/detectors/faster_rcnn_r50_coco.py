# Faster R-CNN R50 in front of OVSAM, CLIP RN50x16, on COCO: the detector's names.
_base_ = [
    'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py',
    '../_base_/models/segmenter_RN50x16_coco.py',
]

model = dict(
    _delete_=True,
    type='DetectorPromptedOVSAM',
    detector=dict(
        _base_.model,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmdetection/'
            'v2.0/faster_rcnn/'
            'faster_rcnn_r50_fpn_1x_coco/faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth',
        ),
    ),
    detector_pipeline=_base_.test_pipeline,
    segmenter=_base_.segmenter,
)
test_dataloader = dict(dataset=dict(pipeline=_base_.raw_pipeline))
test_evaluator = dict(metric=['bbox', 'segm'])
