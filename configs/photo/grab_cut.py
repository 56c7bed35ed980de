# Yardstick: OpenCV's GrabCut, started from the box.
_base_ = ['./filled_box.py']

model = dict(type='GrabCut')
