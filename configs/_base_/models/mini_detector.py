# A detector small enough to train in minutes on a CPU. `num_classes` stands in the leaves.
detector = dict(
    type='RTMDet',
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True, pad_size_divisor=32),
    backbone=dict(
        type='ResNet', depth=18, deep_stem=True, base_channels=12, out_indices=(1, 2, 3),
        norm_eval=False, norm_cfg=dict(type='BN')),
    neck=dict(type='FPN', in_channels=[24, 48, 96], out_channels=32, num_outs=3),
    bbox_head=dict(
        type='RTMDetSepBNHead', in_channels=32, feat_channels=32, stacked_convs=2, num_classes=1,
        anchor_generator=dict(type='MlvlPointGenerator', offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type='DistancePointBBoxCoder'),
        loss_cls=dict(type='QualityFocalLoss', use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type='GIoULoss', loss_weight=2.0),
        with_objectness=False, exp_on_reg=True, share_conv=True, pred_kernel_size=1,
        norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU', inplace=True)),
    train_cfg=dict(
        assigner=dict(type='DynamicSoftLabelAssigner', topk=13),
        allowed_border=-1, pos_weight=-1, debug=False),
    test_cfg=dict(
        nms_pre=1000, min_bbox_size=0, score_thr=0.05, nms=dict(type='nms', iou_threshold=0.6),
        max_per_img=100))
