# The finished miniature CLIP on unseen crops, among the base and novel names.
_base_ = ['./clip.py']

split_names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(vocabulary=split_names, class_loss_weight=0)
test_dataloader = dict(dataset=dict(vocabulary=split_names))
load_from = _base_.weights + 'clip.pth'
