# The same of the adapter that has learned masks, too.
_base_ = ['./sam2clip_box.py']

load_from = _base_.weights + 'sam2clip_masks.pth'
