"""From low-resolution logits to clean masks: cleaning, regions, post-processing."""

from .regions import InsideBox, LargeParts

__all__ = [
    'InsideBox',
    'LargeParts',
]
