# The paper's protocol, fused: the masks' centre points, among the base and novel names.
_base_ = ['./ovsam_base_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
