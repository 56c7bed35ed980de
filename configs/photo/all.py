# The same training with all 80 names seen, for use: names that have ImageNet classes keep them.
_base_ = ['./base.py']

model = dict(
    vocabulary=dict(seen=None), label_loss=dict(num_names=80),
    text_encoder=dict(projection=dict(_delete_=True, **_base_.text_encoder.projection)))
