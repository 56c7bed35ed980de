# The same, with novel names' own ImageNet classes: as in the demo.
_base_ = ['./base_box.py']

weights = '{{$OVSAM_PHOTO_WEIGHTS:checkpoints/photo}}/'
model = dict(
    text_encoder=dict(
        projection=dict(num_points=1000, init_cfg=dict(checkpoint=weights + 'names.pth'))
    )
)
