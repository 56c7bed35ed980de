"""Data sets: COCO-format data with a vocabulary as label space, SA-1B, and the pictogram world."""
from .load_annotated_image import LoadAnnotatedImage
from .load_sa1b_annotations import LoadSA1BAnnotations
from .one_class import OneClass
from .open_vocabulary_coco import ClosedVocabularyCocoDataset, OpenVocabularyCocoDataset
from .open_vocabulary_lvis import OpenVocabularyLVISDataset
from .pictogram_crops import PictogramCrops
from .pictogram_vocabulary import pictogram_vocabulary
from .sa1b import SA1BDataset

__all__ = [
    'ClosedVocabularyCocoDataset',
    'LoadAnnotatedImage',
    'LoadSA1BAnnotations',
    'OneClass',
    'OpenVocabularyCocoDataset',
    'OpenVocabularyLVISDataset',
    'PictogramCrops',
    'SA1BDataset',
    'pictogram_vocabulary',
]
