# The paper's protocol, the head alone: the masks' centre points, among the base and novel names.
_base_ = ['./ovsam_base_box.py']

model = dict(score_fusion=None, prompter=dict(type='CenterPointPrompter'))
