# What OVSAM with CLIP RN50x16 takes to stand behind a detector of COCO's classes, and the pipeline
# of test images for both: they resize for themselves.
coco_pack = dict(type='VocabularyPack', name='coco', seen='base')
learned_on_coco = dict(type='Pretrained', checkpoint='checkpoints/clip2sam_RN50x16_coco.pth')
coco_detections = dict(
    type='DetectionsFromFile',
    file='data/detections/coco_val2017.json',
    ann_file='data/coco/annotations/instances_val2017.json',
)
unresized = [
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]
coco_metric = dict(
    type='VocabularyCocoMetric', ann_file=coco_detections['ann_file'], metric=['bbox', 'segm']
)
# Names by OVSAM, so that boxes of several classes may be of one object.
named_by_ovsam = dict(naming=dict(type='SegmenterLabel'), nms=dict(type='nms', iou_threshold=0.6))
