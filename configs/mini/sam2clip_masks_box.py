# SAM's decoder on the embedding of the adapter that has learned masks, too; boxes.
_base_ = ['./sam2clip.py']

load_from = _base_.weights + 'sam2clip_masks.pth'
