# Yardstick: the frozen tower's feature in the box alone.
_base_ = ['./base_box.py']

model = dict(score_fusion=dict(seen=1.0, unseen=1.0, penalty=0.0), zoomed_pass=None)
