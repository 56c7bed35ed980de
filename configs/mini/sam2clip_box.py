# SAM's decoder on the adapter's embedding, on unseen scenes, prompted with boxes.
_base_ = ['./sam2clip.py']

load_from = _base_.weights + 'sam2clip.pth'
