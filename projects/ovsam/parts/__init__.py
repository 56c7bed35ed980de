"""The boxes of the paper's figure, one file each, registered in mmdet's registries."""

from .clip2sam_head import CLIP2SAMHead
from .clip_backbone import CLIPBackbone
from .clip_text_encoder import CLIPTextEncoder
from .efficientnet_lite_tower import EfficientNetLiteTower
from .light_adapter import LightAdapter
from .local_attention_init import LocalAttentionInit
from .mask_decoder import SAMMaskDecoder
from .prompt_encoder import SAMPromptEncoder
from .pyramid_image_encoder import PyramidImageEncoder
from .raster_prompt_encoder import RasterPromptEncoder
from .region_projection import AveragedProjection, FlattenedProjection
from .repeated_tokens_init import RepeatedMaskTokensInit
from .residual_region_head import ResidualRegionHead
from .sam2clip_adapter import SAM2CLIPAdapter
from .sam_image_encoder import SAMImageEncoder
from .sentence_text_encoder import SentenceTextEncoder
from .skip_mask_decoder import SkipMaskDecoder

__all__ = [
    'AveragedProjection',
    'CLIP2SAMHead',
    'CLIPBackbone',
    'CLIPTextEncoder',
    'EfficientNetLiteTower',
    'FlattenedProjection',
    'LightAdapter',
    'LocalAttentionInit',
    'PyramidImageEncoder',
    'RasterPromptEncoder',
    'RepeatedMaskTokensInit',
    'ResidualRegionHead',
    'SAM2CLIPAdapter',
    'SAMImageEncoder',
    'SAMMaskDecoder',
    'SAMPromptEncoder',
    'SentenceTextEncoder',
    'SkipMaskDecoder',
]
