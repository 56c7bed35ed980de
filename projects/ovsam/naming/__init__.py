"""From regions to names: text embeddings, comparison, fusion, calibration, back-off."""

from .back_off import BackOffAnswer, HierarchicalBackOff
from .compared_names import AllNames, JudgedNames, SampledNames
from .examples import Examples, ExampleSpace
from .learned_context import LearnedContext
from .name_bank import NameBank, embed_bank
from .scores import GeometricFusion, OpenVocabularyClassifier, TemperatureScaling
from .second_look import SecondLook
from .text_cache import TextEmbeddingCache
from .text_embeddings import embed_texts
