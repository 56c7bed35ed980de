"""The yardsticks of the paper's tables, as models of the same interface as OVSAM."""
from .change_normalization import ChangeNormalization
from .crop_sam import FeatureCropSAM, ImageCropSAM, MaskFeatureCropSAM

__all__ = ['ChangeNormalization', 'FeatureCropSAM', 'ImageCropSAM', 'MaskFeatureCropSAM']
