# As ovsam_RN50x16_coco_box.py, but images are encoded without their padding. Not as published.
_base_ = ['./ovsam_RN50x16_coco_box.py']

model = dict(skip_padding=True)
