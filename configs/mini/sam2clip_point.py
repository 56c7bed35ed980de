# SAM's decoder on the adapter's embedding, on unseen scenes, prompted with the masks' centres.
_base_ = ['./sam2clip_box.py']

model = dict(prompter=dict(type='CenterPointPrompter'))
