# The model for use behind annotated boxes of all sizes, by COCO's average precision.
_base_ = ['./all_box.py']

every_object = dict(
    vocabulary=_base_.all_names,
    pipeline=[step for step in _base_.test_pipeline if step['type'] != 'FilterAnnotations'],
)
val_dataloader = dict(dataset=every_object)
test_dataloader = dict(dataset=every_object)
annotations = _base_.data_root + 'annotations/instances_'
val_evaluator = dict(
    _delete_=True,
    type='VocabularyCocoMetric',
    metric='segm',
    ann_file=annotations + 'train2017.json',
)
test_evaluator = dict(val_evaluator, ann_file=annotations + 'val2017.json')
