"""From regions to names: text embeddings, comparison, fusion, calibration, back-off."""

from .back_off import BackOffAnswer, HierarchicalBackOff
from .calibration import TemperatureScaling
from .compared_names import AllNames, JudgedNames, SampledNames
from .learned_context import LearnedContext
from .open_vocabulary_classifier import OpenVocabularyClassifier
from .score_fusion import GeometricFusion
from .text_bank import TextBank, embed_bank
from .text_bank_classifier import TextBankClassifier
from .text_cache import TextEmbeddingCache
from .text_embeddings import embed_texts, embed_vocabulary

__all__ = [
    'AllNames',
    'BackOffAnswer',
    'GeometricFusion',
    'HierarchicalBackOff',
    'JudgedNames',
    'LearnedContext',
    'OpenVocabularyClassifier',
    'SampledNames',
    'TemperatureScaling',
    'TextBank',
    'TextBankClassifier',
    'TextEmbeddingCache',
    'embed_bank',
    'embed_texts',
    'embed_vocabulary',
]
