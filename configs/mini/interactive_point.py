# The interactive OVSAM: the masks' centre points, among the base and novel names.
_base_ = ['./interactive_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
