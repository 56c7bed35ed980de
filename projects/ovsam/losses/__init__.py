"""What is learned from."""

from .balanced_name_loss import BalancedNameLoss
from .clip2sam_loss import CLIP2SAMLoss
from .crop_distillation import CropDistillation
from .dense_instance_loss import DenseInstanceLoss
from .lowest_mask_loss import LowestMaskLoss
from .near_object_mask_loss import NearObjectMaskLoss
from .sam_mask_loss import SAMMaskLoss
