"""The boxes of the paper's figure, one file each, registered in mmdet's registries."""
from .calibration import TemperatureScaling
from .clicked_ovsam import ClickedOVSAM
from .clip2sam_head import CLIP2SAMHead
from .clip2sam_loss import CLIP2SAMLoss
from .clip_backbone import CLIPBackbone
from .clip_text_encoder import CLIPTextEncoder
from .compared_names import AllNames, JudgedNames, SampledNames
from .contrastive_clip import ContrastiveCLIP
from .crop_distillation import CropDistillation
from .dense_instance_loss import DenseInstanceLoss
from .detection_naming import DetectorLabel, FusedLabel, SegmenterLabel
from .detections_from_file import DetectionsFromFile
from .detector_prompted_ovsam import DetectorPromptedOVSAM
from .found_objects import FoundObjectsOVSAM
from .interactive_ovsam import InteractiveOVSAM
from .joint_ovsam import JointOVSAM
from .learned_context import LearnedContext
from .local_attention_init import LocalAttentionInit
from .lowest_mask_loss import LowestMaskLoss
from .mask_choice import AllGuesses, AllMasks, AmbiguityAwareChoice, FirstMask
from .mask_cleaning import InsideBox, LargeParts
from .mask_decoder import SAMMaskDecoder
from .open_vocabulary_classifier import OpenVocabularyClassifier
from .ovsam import OVSAM
from .part_preprocessing import OriginalImages
from .prompt_encoder import SAMPromptEncoder
from .pyramid_image_encoder import PyramidImageEncoder
from .region_clip import RegionCLIP
from .region_projection import AveragedProjection, FlattenedProjection
from .repeated_tokens_init import RepeatedMaskTokensInit
from .sam import SAM, SAMMaskLoss
from .sam2clip_adapter import SAM2CLIPAdapter
from .sam2clip_distiller import SAM2CLIPDistiller
from .sam_image_encoder import SAMImageEncoder
from .score_fusion import GeometricFusion
from .stored_teacher import StoredTeacher
from .text_bank_classifier import TextBankClassifier

__all__ = [
    'AllGuesses',
    'AllMasks',
    'AllNames',
    'AmbiguityAwareChoice',
    'AveragedProjection',
    'CLIP2SAMHead',
    'CLIP2SAMLoss',
    'CLIPBackbone',
    'CLIPTextEncoder',
    'ClickedOVSAM',
    'ContrastiveCLIP',
    'CropDistillation',
    'DenseInstanceLoss',
    'DetectionsFromFile',
    'DetectorLabel',
    'DetectorPromptedOVSAM',
    'FirstMask',
    'FlattenedProjection',
    'FoundObjectsOVSAM',
    'FusedLabel',
    'GeometricFusion',
    'InsideBox',
    'InteractiveOVSAM',
    'JointOVSAM',
    'JudgedNames',
    'LargeParts',
    'LearnedContext',
    'LocalAttentionInit',
    'LowestMaskLoss',
    'OVSAM',
    'OpenVocabularyClassifier',
    'OriginalImages',
    'PyramidImageEncoder',
    'RegionCLIP',
    'RepeatedMaskTokensInit',
    'SAM',
    'SAM2CLIPAdapter',
    'SAM2CLIPDistiller',
    'SAMImageEncoder',
    'SAMMaskDecoder',
    'SAMMaskLoss',
    'SAMPromptEncoder',
    'SampledNames',
    'SegmenterLabel',
    'StoredTeacher',
    'TemperatureScaling',
    'TextBankClassifier',
]
