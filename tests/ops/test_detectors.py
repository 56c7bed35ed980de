"""mmdet's detectors run on the operators that are installed."""

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config

TINY_RESNET = """
_base_ = 'mmdet::{config}'
model = dict(
    backbone=dict(depth=18, base_channels=8, init_cfg=None),
    neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16),
        bbox_head=dict(in_channels=16, fc_out_channels=16)),
    test_cfg=dict(rpn=dict(max_per_img=20)))
"""
TINY_RTMDET = """
_base_ = 'mmdet::{config}'
model = dict(
    backbone=dict(widen_factor=0.125, init_cfg=None),
    neck=dict(in_channels=[32, 64, 128], out_channels=16),
    bbox_head=dict(in_channels=16, feat_channels=16, exp_on_reg=True))
"""
CONFIGS = {
    'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py': TINY_RESNET,
    'faster_rcnn/faster-rcnn_r50_fpn_soft-nms_1x_coco.py': TINY_RESNET,
    'rtmdet/rtmdet_tiny_8xb32-300e_coco.py': TINY_RTMDET,
}


@pytest.mark.parametrize('config', CONFIGS)
def test_detector_predicts(config, tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIGS[config].format(config=config))
    model_config = Config.fromfile(path).model
    model_config.test_cfg.get('rcnn', model_config.test_cfg).score_thr = 0
    torch.manual_seed(0)
    detector = MODELS.build(model_config).eval()
    sample = DetDataSample(
        metainfo={
            'img_shape': (64, 96),
            'ori_shape': (64, 96),
            'pad_shape': (64, 96),
            'batch_input_shape': (64, 96),
            'scale_factor': (1.0, 1.0),
        }
    )
    with torch.no_grad():
        found = detector.predict(torch.randn(1, 3, 64, 96), [sample])[0].pred_instances
    assert len(found) > 0
    assert found.bboxes.isfinite().all()
    assert (found.scores[:-1] >= found.scores[1:]).all()
