"""mmcv's operators on torchvision's kernels, where mmcv has none compiled."""

from .extension import compiled_ops_in_use, provide_mmcv_ops
