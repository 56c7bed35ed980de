# The miniature SAM on unseen scenes, prompted with the masks' centres.
_base_ = ['./sam_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
