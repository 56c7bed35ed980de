# The paper's protocol, where a name is in doubt read again from a crop; the masks' centre points.
_base_ = ['./ovsam_base_box.py']

model = dict(
    prompter=dict(type='CenterPointPrompter'),
    score_fusion=dict(seen=0.9, unseen=1.0),
    second_look=dict(type='SecondLook', margin=3.0, surroundings=0.5, first_opinion=1.0),
)
