# After balanced.py: boxes as people and detectors draw them, half as careless as before, and a few
# more of them than points. On two processes.
_base_ = ['./base.py']

max_iters = 450
model = dict(
    _base_.masks_alone,
    unclicked=0.5,
    train_prompter=dict(
        probabilities=[0.6, 0.4],
        prompters=[
            dict(type='JitteredBoxPrompter', jitter=0.025),
            dict(type='RandomPointPrompter'),
        ],
    ),
)
train_dataloader = dict(dataset=dict(pipeline=_base_.near_train_pipeline))
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=20, end=max_iters),
]
load_from = 'work_dirs/photo-balanced/iter_1300.pth'
