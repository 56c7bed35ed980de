# A simulated user corrects the masks: IoU after one, three and five clicks.
_base_ = ['./base_box.py']

model = dict(
    type='ClickedSkipOVSAM', num_clicks=5, prompter=dict(_delete_=True, type='CenterPointPrompter')
)
val_evaluator = test_evaluator = dict(_delete_=True, type='ClickMetric')
