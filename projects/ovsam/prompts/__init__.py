"""Prompts, and the prompters that make them from annotations."""

from .prompters import (
    BoxPrompter,
    CenterPointPrompter,
    JitteredBoxPrompter,
    MixedPrompter,
    Prompter,
    RandomPointPrompter,
)
from .prompts import Prompts
