# CoOp for the image-crop yardstick: a context in front of names, learned on the base classes.
_base_ = ['./image_crop_box.py', '../_base_/schedules/coop_mini.py']

base_names = dict(type='PictogramVocabulary', group='base')
model = dict(
    vocabulary=base_names,
    context=_base_.context,
    train_prompter=dict(type='JitteredBoxPrompter', max_instances=4),
)
train_dataloader = dict(
    _base_.scenes_train_dataloader, dataset=dict(_base_.scenes_train, vocabulary=base_names)
)
val_dataloader = dict(dataset=dict(vocabulary=base_names, indices=100))
