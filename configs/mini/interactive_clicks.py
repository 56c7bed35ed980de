# The interactive OVSAM, corrected by a simulated user: IoU after each click, clicks to a good mask.
_base_ = ['./interactive_box.py']

model = dict(type='ClickedOVSAM', num_clicks=10, prompter=dict(type='CenterPointPrompter'))
test_dataloader = dict(dataset=dict(indices=200))
val_evaluator = test_evaluator = dict(_delete_=True, type='ClickMetric')
