"""Data sets: COCO-format data with a vocabulary as label space, SA-1B, and the pictogram world."""
from .load_annotated_image import LoadAnnotatedImage
from .load_sa1b_annotations import LoadSA1BAnnotations
from .open_vocabulary_coco import OpenVocabularyCocoDataset
from .open_vocabulary_lvis import OpenVocabularyLVISDataset
from .pictogram_crops import PictogramCrops
from .pictogram_vocabulary import pictogram_vocabulary
from .sa1b import SA1BDataset

__all__ = [
    'LoadAnnotatedImage',
    'LoadSA1BAnnotations',
    'OpenVocabularyCocoDataset',
    'OpenVocabularyLVISDataset',
    'PictogramCrops',
    'SA1BDataset',
    'pictogram_vocabulary',
]
