"""Ready-made models for programs: load one, point at things, get masks and names."""

from .init_model import init_model
from .prediction import Prediction
from .predictor import OVSAMPredictor
from .user_prompts import make_prompts

__all__ = ['OVSAMPredictor', 'Prediction', 'init_model', 'make_prompts']
