# The finished miniature CLIP on unseen crops, among the base and novel names.
_base_ = ['./clip_test.py']

split_names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(vocabulary=split_names)
test_dataloader = dict(dataset=dict(vocabulary=split_names))
