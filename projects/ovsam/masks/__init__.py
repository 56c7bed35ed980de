"""From low-resolution logits to clean masks: choice, cleaning, regions, post-processing."""

from .answers import (
    AllGuesses,
    AllMasks,
    AmbiguityAwareChoice,
    FirstMask,
    InsideBox,
    LargeParts,
)

__all__ = [
    'AllGuesses',
    'AllMasks',
    'AmbiguityAwareChoice',
    'FirstMask',
    'InsideBox',
    'LargeParts',
]
