# OVSAM: the masks' centre points, among the base and novel names.
_base_ = ['./ovsam_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
