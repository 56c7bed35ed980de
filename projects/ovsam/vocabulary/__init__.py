"""Vocabularies: names, the texts that stand for them, and their text embeddings."""

from .build import build_vocabulary, load_vocabulary, merge_vocabularies
from .merge import report_shared_texts, shared_texts
from .name_texts import name_key
from .near_misses import near_misses, refuse_near_misses
from .packs import PACKS, imagenet_synsets, v3det_vocabulary, vocabulary_pack
from .same_texts import TextReader, extend_vocabulary, merge_same_names, report_texts, same_names
from .splits import (
    COCO_BASE_48,
    COCO_NOVEL_17,
    coco_split_vocabulary,
    lvis_split_vocabulary,
)
from .templates import TEMPLATES
from .vocabulary import Vocabulary
from .wordnet import WordNetHierarchy
