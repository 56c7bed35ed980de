# Runs counted in epochs, as those at paper scale are.
_base_ = ['./default_runtime.py']

default_hooks = dict(checkpoint=dict(by_epoch=True, interval=1))
log_processor = dict(by_epoch=True)
env_cfg = dict(dist_cfg=dict(backend='nccl'))  # gloo on machines without a GPU
auto_scale_lr = dict(enable=False, base_batch_size=16)  # 8 GPUs x 2 images
