# The paper's protocol, the head alone: the masks' centre points, among the base and novel names.
_base_ = ['./ovsam_base_head_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
