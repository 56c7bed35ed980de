# CLIP2SAM over several sources. The steps are not published; these are as many with masks as 12
# epochs of LVIS have, and as many without.
_base_ = ['./clip2sam_12e.py']

max_iters = 150_000

train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=max_iters, val_interval=50_000)
param_scheduler = dict(
    by_epoch=False, end=max_iters, milestones=[max_iters * 8 // 12, max_iters * 11 // 12]
)
