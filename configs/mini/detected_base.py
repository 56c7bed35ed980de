# OVSAM behind a detector of the base classes, both trained on base classes only: the detector's
# names, among the base and novel ones.
_base_ = ['./detected_agnostic.py']

model = dict(_base_.behind_base_detector, naming=dict(type='DetectorLabel'))
