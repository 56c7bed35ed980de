# The miniature SAM on unseen scenes, prompted with boxes.
_base_ = ['./sam.py']

load_from = _base_.weights + 'sam.pth'
