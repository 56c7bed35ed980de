"""Vocabularies: names, the texts that stand for them, and their text embeddings."""

from .back_off import BackOffAnswer, HierarchicalBackOff
from .build import build_vocabulary, load_vocabulary
from .coco_split import COCO_BASE_48, COCO_NOVEL_17, coco_split_vocabulary
from .imagenet_synsets import imagenet_synsets
from .lvis_split import lvis_split_vocabulary
from .merge import merge_vocabularies
from .name_texts import name_key
from .near_misses import near_misses, refuse_near_misses
from .packs import PACKS, v3det_vocabulary, vocabulary_pack
from .shared_texts import shared_texts
from .templates import TEMPLATES
from .text_bank import TextBank, embed_bank
from .text_cache import TextEmbeddingCache
from .text_embeddings import embed_texts, embed_vocabulary
from .vocabulary import Vocabulary
from .wordnet import WordNetHierarchy

__all__ = [
    'BackOffAnswer',
    'COCO_BASE_48',
    'COCO_NOVEL_17',
    'HierarchicalBackOff',
    'PACKS',
    'TEMPLATES',
    'TextBank',
    'TextEmbeddingCache',
    'Vocabulary',
    'WordNetHierarchy',
    'build_vocabulary',
    'coco_split_vocabulary',
    'embed_bank',
    'embed_texts',
    'embed_vocabulary',
    'imagenet_synsets',
    'load_vocabulary',
    'lvis_split_vocabulary',
    'merge_vocabularies',
    'name_key',
    'near_misses',
    'refuse_near_misses',
    'shared_texts',
    'v3det_vocabulary',
    'vocabulary_pack',
]
