# RTMDet-Ins-L, whose boxes are used, in front of OVSAM, CLIP RN50x16, on COCO: the detector's
# names.
_base_ = ['mmdet::rtmdet/rtmdet-ins_l_8xb32-300e_coco.py',
          '../_base_/models/ovsam_RN50x16.py']

model = dict(
    _delete_=True, type='DetectorPromptedOVSAM',
    detector=dict(_base_.model, init_cfg=dict(
        type='Pretrained', checkpoint='https://download.openmmlab.com/mmdetection/'
        'v3.0/rtmdet/rtmdet-ins_l_8xb32-300e_coco/'
        'rtmdet-ins_l_8xb32-300e_coco_20221124_103237-78d1d652.pth')),
    detector_pipeline=_base_.test_pipeline,
    segmenter=dict(
        _base_.ovsam, vocabulary=dict(type='VocabularyPack', name='coco', seen='base'),
        score_fusion=dict(type='GeometricFusion', seen=0.1, unseen=0.9),
        init_cfg=dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_coco.pth')))
