# The paper's protocol, where a name is in doubt read again from a crop; boxes.
_base_ = ['./ovsam_base_box.py']

model = dict(
    score_fusion=dict(seen=0.3, unseen=0.8, penalty=1.0),
    second_look=dict(type='SecondLook', margin=1.2),
)
