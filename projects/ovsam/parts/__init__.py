"""The boxes of the paper's figure, one file each, registered in mmdet's registries."""

from . import photographs
from .clip2sam_head import AveragedProjection, CLIP2SAMHead, FlattenedProjection
from .clip_backbone import CLIPBackbone
from .clip_text_encoder import CLIPTextEncoder
from .local_attention_init import LocalAttentionInit
from .mask_decoder import (
    AllGuesses,
    AllMasks,
    AmbiguityAwareChoice,
    FirstMask,
    SAMMaskDecoder,
)
from .prompt_encoder import SAMPromptEncoder
from .pyramid_image_encoder import PyramidImageEncoder
from .repeated_tokens_init import RepeatedMaskTokensInit
from .sam2clip_adapter import SAM2CLIPAdapter
from .sam_image_encoder import SAMImageEncoder
