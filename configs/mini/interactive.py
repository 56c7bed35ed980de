# Stage 3: the mask decoder and the prompt encoder learn several masks, their quality, and to be
# corrected by clicks. Names stay those of clip2sam_joint.py.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/mini.py',
    '../_base_/datasets/pictograms.py',
    '../_base_/schedules/mini.py',
]

max_iters = 600

model = dict(
    _base_.interactive,
    type='InteractiveOVSAM',
    prompt_encoder=_base_.pretrained_prompt_encoder,
    mask_decoder=dict(
        _base_.interactive.mask_decoder,
        init_cfg=dict(
            type='RepeatedMaskTokensInit', checkpoint=_base_.weights + 'clip2sam_joint.pth'
        ),
    ),
    mask_loss=dict(type='LowestMaskLoss', gamma=1.0, focal_weight=10.0),
    rounds=3,
    # The guesses learn from single clicks only, so there are more of these.
    train_prompter=dict(_base_.train_prompter, max_instances=3, probabilities=[0.4, 0.6]),
    label_loss=None,
)
train_dataloader = _base_.scenes_train_dataloader
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=300)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=30, end=max_iters, eta_min_ratio=0.01),
]
