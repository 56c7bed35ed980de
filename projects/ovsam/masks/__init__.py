"""From low-resolution logits to clean masks: choice, cleaning, regions, post-processing."""

from .mask_choice import AllGuesses, AllMasks, AmbiguityAwareChoice, FirstMask
from .mask_cleaning import InsideBox, LargeParts

__all__ = [
    'AllGuesses',
    'AllMasks',
    'AmbiguityAwareChoice',
    'FirstMask',
    'InsideBox',
    'LargeParts',
]
