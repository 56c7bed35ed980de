# The same of clip2sam_no_image_level.py: novel are then names that CLIP2SAM has not learned at all.
_base_ = ['./ovsam_image_level_box.py']

load_from = _base_.weights + 'clip2sam_no_image_level.pth'
