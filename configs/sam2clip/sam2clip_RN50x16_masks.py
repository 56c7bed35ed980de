# Stage 1, continued, CLIP RN50x16: the adapter also learns what SAM's decoder needs for masks, of
# SA-1B. Of use in the small world (docs/results.md); not run at this scale.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/sa1b.py',
    '../_base_/schedules/sam2clip_24e.py',
]

model = dict(
    _base_.sam2clip,
    neck=dict(
        _base_.sam2clip.neck,
        init_cfg=dict(
            type='Pretrained', checkpoint='checkpoints/sam2clip_RN50x16.pth', prefix='neck.'
        ),
    ),
    mask_loss=dict(type='SAMMaskLoss'),
    train_prompter=dict(
        type='MixedPrompter',
        max_instances=16,
        probabilities=[0.5, 0.5],
        prompters=[dict(type='JitteredBoxPrompter'), dict(type='RandomPointPrompter')],
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadSA1BAnnotations'),
            dict(type='LoadAnnotatedImage'),
            dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
            *_base_.train_dataloader.dataset.pipeline[1:],
        ]
    )
)
optim_wrapper = dict(optimizer=dict(lr=4e-5))
