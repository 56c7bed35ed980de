# The same: the masks' centre points.
_base_ = ['./ovsam_base_box.py']

model = dict(
    prompter=dict(type='CenterPointPrompter'),
    score_fusion=dict(seen=0.3, unseen=0.8, penalty=1.0),
    second_look=dict(type='SecondLook', margin=1.2),
)
