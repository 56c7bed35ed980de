# CoOp for the image-crop yardstick: a context in front of names, learned on the base classes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/coop_mini.py',
]

base_names = dict(type='PictogramVocabulary', group='base')
model = dict(
    _base_.crop_sam,
    type='ImageCropSAM',
    vocabulary=base_names,
    context=_base_.context,
    train_prompter=dict(type='JitteredBoxPrompter', max_instances=4),
)
train_dataloader = dict(
    _base_.scenes_train_dataloader, dataset=dict(_base_.scenes_train, vocabulary=base_names)
)
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=base_names))
