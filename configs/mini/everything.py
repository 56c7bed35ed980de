# Everything mode of the interactive OVSAM, among the base and novel names.
_base_ = ['./interactive_point.py']

model = dict(type='EverythingOVSAM', everything=dict(
    points_per_side=16, mask_choice=dict(type='AllMasks'), box_refinement=True))
val_dataloader = dict(dataset=dict(indices=100))
test_dataloader = dict(dataset=dict(indices=400))
val_evaluator = test_evaluator = dict(
    _delete_=True, type='EverythingMetric', vocabulary=dict(type='PictogramVocabulary'))
