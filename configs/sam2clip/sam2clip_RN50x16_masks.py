# Stage 1, continued, CLIP RN50x16: the adapter also learns what the decoder of SAM, which stays, needs
# for the masks of SA-1B. Of use in the small world (docs/results.md); not run at this scale.
_base_ = ['./sam2clip_RN50x16.py']

model = dict(
    neck=dict(
        init_cfg=dict(
            type='Pretrained', checkpoint='checkpoints/sam2clip_RN50x16.pth', prefix='neck.'
        )
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
