# The model for use, which has seen all of COCO's names, and names among all 80; boxes.
_base_ = ['./base_box_given.py']

weights = '{{$OVSAM_PHOTO_WEIGHTS:checkpoints/photo}}/'
model = dict(vocabulary=dict(_delete_=True, type='VocabularyPack', name='coco'))
val_evaluator = test_evaluator = [
    dict(_base_.test_evaluator[0], prediction_classes='coco'),
    dict(_base_.test_evaluator[1], prediction_classes='coco')]
load_from = weights + 'all.pth'
