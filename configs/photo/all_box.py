# The model for use: it has seen all of COCO's names, and names among all 80; boxes. Masks are those
# of base.pth: all.pth holds the label head.
_base_ = ['./base_box.py']

weights = '{{$OVSAM_PHOTO_WEIGHTS:checkpoints/photo}}/'
masks = weights + 'base.pth'
model = dict(
    vocabulary=dict(_delete_=True, type='VocabularyPack', name='coco'),
    text_encoder=dict(
        projection=dict(num_points=1000, init_cfg=dict(checkpoint=weights + 'names.pth'))
    ),
    # All these names are seen: less of the head's opinion than among seen and unseen ones.
    score_fusion=dict(seen=0.4),
    calibration=dict(type='TemperatureScaling', temperature=0.5),
    # Of single points it makes masks that it trusts less than SAM trusts its own.
    everything=dict(pred_iou_thresh=0.4, stability_score_thresh=0.5, box_nms_thresh=0.5),
    **{
        part: dict(init_cfg=dict(type='Pretrained', checkpoint=masks, prefix=part + '.'))
        for part in ('neck', 'prompt_encoder', 'mask_decoder')
    },
)
val_evaluator = test_evaluator = _base_.among_all_names
load_from = weights + 'all.pth'
