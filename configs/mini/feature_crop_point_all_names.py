# Feature-crop yardstick: the masks' centre points, among all names of the small world.
_base_ = ['./image_crop_box.py']

all_names = dict(type='PictogramVocabulary', group='all')
model = dict(
    type='FeatureCropSAM',
    vocabulary=all_names,
    prompter=dict(type='CenterPointPrompter'),
)
val_dataloader = dict(dataset=dict(vocabulary=all_names))
test_dataloader = dict(dataset=dict(vocabulary=all_names))
