# CLIP2SAM's head of clip2sam_image_level.py: boxes, among all names of the small world and LVIS's.
# Base are the names that had boxes and masks, novel those that had a name for a whole image only.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
]

pictograms = dict(type='PictogramVocabulary', split=dict(base='with_masks', novel='image_level'))
# LVIS's names are no pictograms' and stand for nothing here: they are there to be confused with.
names = dict(
    type='MergedVocabulary',
    vocabularies=[pictograms, dict(type='VocabularyPack', name='lvis', seen=[])],
)

model = dict(_base_.ovsam, vocabulary=names)
val_dataloader = dict(dataset=dict(vocabulary=names, indices=None))
test_dataloader = dict(dataset=dict(vocabulary=names))
val_evaluator = dict(vocabulary=pictograms)
test_evaluator = dict(vocabulary=pictograms)
load_from = _base_.weights + 'clip2sam_image_level.pth'
