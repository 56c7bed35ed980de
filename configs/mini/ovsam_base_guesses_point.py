# As ovsam_base_second_look_point.py, names also of what boxes around the point find.
_base_ = ['./ovsam_base_box.py']

model = dict(
    prompter=dict(type='CenterPointPrompter'),
    score_fusion=dict(seen=0.9, unseen=1.0),
    second_look=dict(type='SecondLook', margin=3.0, surroundings=0.5, first_opinion=1.0),
    zoomed_pass=dict(type='BoxesAroundPoints', sides=[56.0, 80.0]),
)
