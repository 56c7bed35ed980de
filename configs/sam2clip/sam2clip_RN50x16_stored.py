# sam2clip_RN50x16.py on stored embeddings of SAM ViT-H, which tools/dump_sam_features.py makes.
_base_ = ['./sam2clip_RN50x16.py']

model = dict(teacher=dict(_delete_=True, type='StoredTeacher', encoder=_base_.sam_image_encoder))
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_dataloader.dataset.pipeline,
            dict(type='LoadTeacherFeatures', folder='data/sam_features/sa1b_vit_h'),
        ]
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='RequireTeacherFeaturesHook')]
