# The protocol of base and novel names: the masks' centre points.
_base_ = ['./base_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
