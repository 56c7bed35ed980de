# Yardstick: the frozen tower on the image's crop.
_base_ = ['./base_box.py']

model = dict(type='ImageCropSkipOVSAM', score_fusion=None, zoomed_pass=None)
