"""The boxes of the paper's figure, one file each, registered in mmdet's registries."""
from .contrastive_clip import ContrastiveCLIP
from .mask_decoder import SAMMaskDecoder
from .prompt_encoder import SAMPromptEncoder
from .sam import SAM, SAMMaskLoss
from .sam2clip_adapter import SAM2CLIPAdapter
from .sam_image_encoder import SAMImageEncoder

__all__ = ['SAM', 'ContrastiveCLIP', 'SAM2CLIPAdapter', 'SAMImageEncoder', 'SAMMaskDecoder',
           'SAMMaskLoss', 'SAMPromptEncoder']
