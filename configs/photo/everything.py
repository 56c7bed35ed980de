# The model for use in everything mode, among all 80 names; 20 of the validation pictures.
_base_ = ['./all_box.py']

every_class = dict(vocabulary=_base_.all_names)
model = dict(type='EverythingSkipOVSAM', everything=dict(points_per_side=16))
val_dataloader = dict(dataset=every_class)
test_dataloader = dict(dataset=dict(every_class, indices=20))
val_evaluator = test_evaluator = dict(
    _delete_=True, type='EverythingMetric', vocabulary=_base_.split_names
)
