"""Parts of the small OVSAM for photographs, between towers that packages carry."""

from .efficientnet_lite_tower import EfficientNetLiteTower
from .light_adapter import LightAdapter
from .linear_correction import LinearCorrection
from .raster_prompt_encoder import RasterPromptEncoder
from .residual_region_head import ResidualRegionHead
from .sentence_text_encoder import SentenceTextEncoder
from .skip_mask_decoder import SkipMaskDecoder
