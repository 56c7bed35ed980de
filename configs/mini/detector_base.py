# A small detector of the base classes, the only ones whose annotations it has seen.
_base_ = ['./detector_agnostic.py']

base_names = dict(type='PictogramVocabulary', group='base')
model = dict(bbox_head=dict(num_classes=40))
train_dataloader = dict(
    dataset=dict(
        vocabulary=base_names,
        pipeline=[
            _base_.load_image,
            dict(type='LoadAnnotations', with_bbox=True),
            _base_.resize,
            _base_.pack_train,
        ],
    )
)
val_dataloader = dict(dataset=dict(vocabulary=base_names))
test_dataloader = dict(dataset=dict(vocabulary=base_names))
val_evaluator = dict(metric='bbox')
test_evaluator = dict(metric='bbox')
