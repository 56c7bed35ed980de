# The paper's protocol, the head alone: boxes, among all names of the small world.
_base_ = ['./ovsam_base_box.py']

all_names = dict(type='PictogramVocabulary', group='all', seen='base')
model = dict(vocabulary=all_names, score_fusion=None)
val_dataloader = dict(dataset=dict(vocabulary=all_names))
test_dataloader = dict(dataset=dict(vocabulary=all_names))
