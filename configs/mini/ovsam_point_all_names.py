# OVSAM: the masks' centre points, among all names of the small world.
_base_ = ['./ovsam_box.py']

all_names = dict(type='PictogramVocabulary', group='all', seen='all_but_novel')
model = dict(vocabulary=all_names, prompter=dict(type='CenterPointPrompter'))
val_dataloader = dict(dataset=dict(vocabulary=all_names))
test_dataloader = dict(dataset=dict(vocabulary=all_names))
