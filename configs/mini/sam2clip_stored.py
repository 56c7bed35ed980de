# sam2clip.py on stored embeddings of the miniature SAM, which tools/dump_sam_features.py makes.
_base_ = ['./sam2clip.py']

model = dict(
    teacher=dict(_delete_=True, type='StoredTeacher', encoder=_base_.pretrained_sam_image_encoder)
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline,
            dict(type='LoadTeacherFeatures', folder=_base_.data_root + 'sam_features'),
        ]
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='RequireTeacherFeaturesHook')]
