"""What OVSAM and the crop baselines share: names from a vocabulary that may change at any time.

Glossary: N regions, K classes, P names per class (synonyms), C channels.
"""
from collections.abc import Sequence
from typing import Optional, Union

from mmdet.registry import MODELS
from torch import Tensor

from ..vocabulary import build_vocabulary, embed_vocabulary
from .promptable_segmenter import PromptableSegmenter


class OpenVocabularySegmenter(PromptableSegmenter):
    """A segmenter that compares region embeddings with CLIP's embeddings of names.

    Text embeddings are made when they are first needed, and again after
    :meth:`set_vocabulary`; they are never part of a checkpoint.

    Args:
        text_encoder: Config of CLIP's text tower.
        vocabulary: What :func:`~ovsam.vocabulary.build_vocabulary` takes. Labels, in training
            too, index its names.
        templates: Of :func:`~ovsam.vocabulary.embed_vocabulary`.
        classifier: Config.
        **kwargs: Of :class:`PromptableSegmenter`.
    """

    def __init__(self, text_encoder: dict, vocabulary,
                 templates: Union[str, Sequence[str]] = 'vild',
                 classifier: Optional[dict] = None, **kwargs):
        super().__init__(**kwargs)
        self.text_encoder = MODELS.build(text_encoder)
        self.classifier = MODELS.build(classifier or dict(type='OpenVocabularyClassifier'))
        self.templates = templates
        self.set_vocabulary(vocabulary)

    def set_vocabulary(self, vocabulary) -> None:
        """Name things from another vocabulary from now on; images need no new encoding."""
        self.vocabulary = build_vocabulary(vocabulary)
        self.classifier.embeddings = None

    def classify(self, regions: Tensor) -> Tensor:
        """Logits (N, K + 1) of L2-normalised region embeddings (N, C); background last."""
        if self.classifier.embeddings is None:
            self.classifier.set_embeddings(
                embed_vocabulary(self.text_encoder, self.vocabulary, self.templates))
        return self.classifier(regions)
