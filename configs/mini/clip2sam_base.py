# Stage 2, the paper's protocol: CLIP2SAM on the base classes only, with the published losses.
_base_ = ['./clip2sam_joint.py']

seen_names = dict(type='PictogramVocabulary', group='base')
model = dict(vocabulary=seen_names, name_all=False, region_jitter=0.0, crop_distillation=None)
train_dataloader = dict(dataset=dict(vocabulary=seen_names))
val_dataloader = test_dataloader = dict(dataset=dict(vocabulary=seen_names))
