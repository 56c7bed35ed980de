# sam2clip_RN50x16.py on stored embeddings of SAM ViT-H, which tools/dump_sam_features.py makes.
_base_ = [
    '../_base_/epoch_runtime.py',
    '../_base_/models/ovsam_RN50x16.py',
    '../_base_/datasets/sa1b.py',
    '../_base_/schedules/sam2clip_24e.py',
]

model = dict(_base_.sam2clip, teacher=dict(type='StoredTeacher', encoder=_base_.sam_image_encoder))
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_dataloader.dataset.pipeline,
            dict(type='LoadTeacherFeatures', folder='data/sam_features/sa1b_vit_h'),
        ]
    )
)
custom_hooks = [*_base_.custom_hooks, dict(type='RequireTeacherFeaturesHook')]
