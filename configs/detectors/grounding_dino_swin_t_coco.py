# Grounding DINO Swin-T, which is told OVSAM's vocabulary, in front of OVSAM, CLIP RN50x16, on COCO:
# the detector's names. It needs the package transformers and BERT's files, see docs/detectors.md.
_base_ = [
    'mmdet::grounding_dino/grounding_dino_swin-t_pretrain_obj365_goldg_cap4m.py',
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
            'v3.0/grounding_dino/groundingdino_swint_ogc_mmdet-822d7e9d.pth',
        ),
    ),
    detector_pipeline=_base_.test_pipeline,
    segmenter=dict(_base_.fused, vocabulary=_base_.coco_pack, init_cfg=_base_.learned_on_coco),
)
test_dataloader = dict(dataset=dict(pipeline=_base_.unresized))
test_evaluator = dict(_base_.coco_metric, _delete_=True)
