"""Ready-made models for programs: load one, point at things, get masks and names."""

from .back_off import BackOff
from .encoded_image import EncodedImage
from .everything import EverythingMode
from .inferencer import OVSAMInferencer
from .init_model import init_model, notice_of
from .prediction import Prediction
from .predictor import OVSAMPredictor
from .prompt_sources import DetectorBoxes, EverythingPrompts, PromptFiles
from .tracking import Followed, FollowSettings, follow
from .user_prompts import make_prompts
