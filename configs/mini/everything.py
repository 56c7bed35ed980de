# Everything mode of the interactive OVSAM, among the base and novel names.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

split_names = dict(type='PictogramVocabulary', group='split', seen='all_but_novel')
model = dict(
    _base_.interactive,
    type='EverythingOVSAM',
    vocabulary=split_names,
    score_fusion=_base_.demo_fusion,
    prompter=dict(type='CenterPointPrompter'),
    everything=dict(
        points_per_side=16,
        pred_iou_thresh=0.3,
        stability_score_thresh=0.3,
        box_nms_thresh=0.7,
        mask_choice=dict(type='AllMasks'),
        box_refinement=True,
    ),
)
val_dataloader = dict(dataset=dict(vocabulary=split_names))
test_dataloader = dict(dataset=dict(vocabulary=split_names, indices=200))
val_evaluator = test_evaluator = dict(
    _delete_=True, type='EverythingMetric', vocabulary=dict(type='PictogramVocabulary')
)
load_from = _base_.weights + 'interactive.pth'
