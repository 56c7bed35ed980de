# Detections from a file, named by OVSAM among COCO's base classes: the constrained protocol.
_base_ = ['./file_ovcoco.py']

names = dict(type='COCOSplitVocabulary', group='base')
model = dict(segmenter=dict(vocabulary=names))
test_dataloader = dict(dataset=dict(vocabulary=names))
