"""Vocabularies: names, the texts that stand for them, and their text embeddings."""

from .coco_split import COCO_BASE_48, COCO_NOVEL_17, coco_split_vocabulary
from .lvis_split import lvis_split_vocabulary
from .templates import TEMPLATES
from .text_embeddings import embed_texts, embed_vocabulary
from .vocabulary import Vocabulary, build_vocabulary, load_vocabulary

__all__ = [
    'COCO_BASE_48',
    'COCO_NOVEL_17',
    'TEMPLATES',
    'Vocabulary',
    'build_vocabulary',
    'coco_split_vocabulary',
    'embed_texts',
    'embed_vocabulary',
    'load_vocabulary',
    'lvis_split_vocabulary',
]
