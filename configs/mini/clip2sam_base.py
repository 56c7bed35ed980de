# Stage 2, the paper's protocol: CLIP2SAM on the base classes only.
_base_ = ['./clip2sam_joint.py']

seen_names = dict(type='PictogramVocabulary', group='base')
model = dict(vocabulary=seen_names)
train_dataloader = dict(dataset=dict(vocabulary=seen_names))
val_dataloader = dict(dataset=dict(vocabulary=seen_names))
