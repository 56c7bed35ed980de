# OVSAM: boxes, among all names of the small world.
_base_ = ['./ovsam_box.py']

all_names = dict(type='PictogramVocabulary', group='all', seen='all_but_novel')
# tools/calibrate.py fits the temperature to base objects of the validation scenes.
model = dict(vocabulary=all_names, calibration=dict(type='TemperatureScaling', temperature=0.827))
val_dataloader = dict(dataset=dict(vocabulary=all_names))
test_dataloader = dict(dataset=dict(vocabulary=all_names))
