# The miniature SAM, second half of its training: a new cosine cycle, plainer focal weights.
_base_ = ['./sam.py']

max_iters = 1000
model = dict(mask_loss=dict(gamma=1., focal_weight=10.))
train_cfg = dict(max_iters=max_iters, val_interval=250)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, end=max_iters, eta_min_ratio=0.01)]
load_from = _base_.weights + 'sam_first.pth'
