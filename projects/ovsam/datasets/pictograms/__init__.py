"""The small world: names drawn as pictograms."""

from .crops import PictogramCrops
from .vocabulary import pictogram_vocabulary
