"""Data sets: COCO-format data with a vocabulary as label space, and the pictogram world."""
from .open_vocabulary_coco import OpenVocabularyCocoDataset
from .pictogram_crops import PictogramCrops
from .pictogram_vocabulary import pictogram_vocabulary

__all__ = ['OpenVocabularyCocoDataset', 'PictogramCrops', 'pictogram_vocabulary']
