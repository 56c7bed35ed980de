# The interactive OVSAM: boxes, among the base and novel names.
_base_ = ['./ovsam_box.py']

weights = '{{$OVSAM_MINI_WEIGHTS:checkpoints/mini}}/'
model = dict(
    prompt_encoder=dict(init_cfg=None),
    mask_decoder=dict(num_mask_tokens=4, init_cfg=None),
    label_head=dict(
        init_cfg=dict(
            type='Pretrained', checkpoint=weights + 'clip2sam_joint.pth', prefix='label_head.'
        )
    ),
    mask_choice=dict(type='AmbiguityAwareChoice'),
    frozen=['backbone', 'neck', 'label_head', 'text_encoder'],
)
load_from = weights + 'interactive.pth'
