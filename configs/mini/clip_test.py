# The finished miniature CLIP on unseen crops, among all names.
_base_ = ['./clip.py']

load_from = _base_.weights + 'clip.pth'
