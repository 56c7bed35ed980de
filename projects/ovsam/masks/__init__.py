"""From low-resolution logits to clean masks: cleaning, regions, post-processing."""

from .cleaning import InsideBox, LargeParts, LikelyPixels
