# Everything mode of the interactive OVSAM, among the base and novel names.
_base_ = ['./interactive_point.py']

model = dict(
    type='EverythingOVSAM',
    everything=dict(
        points_per_side=16,
        pred_iou_thresh=0.3,
        stability_score_thresh=0.3,
        box_nms_thresh=0.7,
        mask_choice=dict(type='AllMasks'),
        box_refinement=True,
    ),
)
val_dataloader = dict(dataset=dict(indices=100))
test_dataloader = dict(dataset=dict(indices=200))
val_evaluator = test_evaluator = dict(
    _delete_=True, type='EverythingMetric', vocabulary=dict(type='PictogramVocabulary')
)
