"""The yardsticks of the paper's tables, as models of the same interface as OVSAM."""
from .crop_sam import FeatureCropSAM, ImageCropSAM

__all__ = ['FeatureCropSAM', 'ImageCropSAM']
