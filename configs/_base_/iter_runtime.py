# Runs counted in steps at paper scale, as those over several sources are.
_base_ = ['./default_runtime.py']

default_hooks = dict(checkpoint=dict(interval=5000))
env_cfg = dict(dist_cfg=dict(backend='nccl'))  # gloo on machines without a GPU
auto_scale_lr = dict(enable=False, base_batch_size=16)  # 8 GPUs x 2 images
