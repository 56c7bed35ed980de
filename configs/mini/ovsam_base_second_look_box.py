# The paper's protocol, where a name is in doubt read again from a crop; boxes.
_base_ = ['./ovsam_base_box.py']

model = dict(
    score_fusion=dict(seen=0.3, unseen=0.8, penalty=0.75),
    second_look=dict(type='SecondLook', margin=1.5, surroundings=0.5),
)
