"""The small world: names drawn as pictograms."""

from .crops import PictogramCrops
from .vocabulary import pictogram_vocabulary

__all__ = [
    'PictogramCrops',
    'pictogram_vocabulary',
]
