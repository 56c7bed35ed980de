"""Whole models: SAM, OVSAM and its trainings, SAM2CLIP distillation, the crop baselines."""

from .boxes_around_points import BoxesAroundPoints
from .change_normalization import ChangeNormalization
from .contrastive_clip import ContrastiveCLIP
from .crop_sam import FeatureCropSAM, ImageCropSAM, MaskFeatureCropSAM
from .interactive_ovsam import InteractiveOVSAM
from .joint_ovsam import JointOVSAM
from .mirrored_ovsam import MirroredOVSAM
from .ovsam import OVSAM
from .part_preprocessing import OriginalImages
from .region_clip import RegionCLIP
from .sam import SAM
from .sam2clip_distiller import SAM2CLIPDistiller
from .skip_ovsam import SkipOVSAM
from .stored_teacher import StoredTeacher
from .zoomed_pass import ZoomedPass
