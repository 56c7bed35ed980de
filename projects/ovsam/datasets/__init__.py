"""Data sets: COCO-format data with a vocabulary as label space, SA-1B, joint ones, pictograms."""

from .feature_store import FeatureStore
from .image_listing import ImageListing
from .joint_dataset import JointDataset
from .load_annotated_image import LoadAnnotatedImage
from .load_sa1b_annotations import LoadSA1BAnnotations
from .load_teacher_features import LoadTeacherFeatures
from .one_class import OneClass
from .open_vocabulary_coco import ClosedVocabularyCocoDataset, OpenVocabularyCocoDataset
from .open_vocabulary_lvis import OpenVocabularyLVISDataset
from .photographs.keep_in_memory import KeepInMemory
from .photographs.part_of_images import PartOfImagesCocoDataset
from .photographs.paste_objects import PasteObjects
from .photographs.random_object_warp import RandomObjectWarp
from .pictograms.crops import PictogramCrops
from .pictograms.vocabulary import pictogram_vocabulary
from .sa1b import SA1BDataset
from .source_batch_sampler import SourceBatchSampler
from .teacher_features import TeacherFeatures
from .whole_image_region import WholeImageRegion
