# Stage 2, the demo's weights: CLIP2SAM on every name but the novel ones.
_base_ = ['./clip2sam_base.py']

seen_names = dict(type='PictogramVocabulary', group='all_but_novel')
model = dict(vocabulary=seen_names)
train_dataloader = dict(dataset=dict(vocabulary=seen_names))
val_dataloader = dict(dataset=dict(vocabulary=seen_names))
