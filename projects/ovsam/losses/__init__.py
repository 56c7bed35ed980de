"""What is learned from."""

from .clip2sam_loss import CLIP2SAMLoss
from .crop_distillation import CropDistillation
from .dense_instance_loss import DenseInstanceLoss
from .lowest_mask_loss import LowestMaskLoss
from .sam_mask_loss import SAMMaskLoss

__all__ = [
    'CLIP2SAMLoss',
    'CropDistillation',
    'DenseInstanceLoss',
    'LowestMaskLoss',
    'SAMMaskLoss',
]
