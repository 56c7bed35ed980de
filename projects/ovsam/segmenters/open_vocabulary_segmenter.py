"""Models that name regions from a bank of names: what OVSAM and the crop baselines share.

Glossary: N regions, K names, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from mmdet.registry import MODELS, TASK_UTILS
from torch import Tensor, nn

from ..masks.regions import Regions
from ..naming.examples import ExampleSpace
from ..naming.learned_context import LearnedContext
from ..naming.name_bank import NameBank, embed_bank
from ..naming.scores import Scoring
from ..naming.text_cache import TextEmbeddingCache
from ..prompts import Prompts
from ..vocabulary import TextReader, Vocabulary, build_vocabulary, report_texts
from .image_features import ImageFeatures
from .promptable_segmenter import PromptableSegmenter


class Naming(Scoring):
    """For models with a ``text_encoder``, a ``classifier`` and ``templates``.

    The model's ``vocabulary`` is its config's: what labels index in training and evaluation.
    Whoever names from others passes a bank of :meth:`bank`. Banks are no part of a checkpoint, but
    text embeddings may be kept in a ``text_cache``. A model with a ``context``
    (:class:`~ovsam.naming.LearnedContext`) has no use for templates; while the context learns,
    embeddings are made for each call anew, with gradient.
    """

    text_encoder: nn.Module
    templates: str | Sequence[str]
    training: bool
    text_cache: TextEmbeddingCache | None = None
    # Of the model's own vocabulary; made when it is first needed.
    own_bank: NameBank | None = None

    def __init__(self, vocabulary, **kwargs) -> None:
        super().__init__(**kwargs)
        self.vocabulary: Vocabulary = build_vocabulary(vocabulary)
        # No class attributes, which would hide modules of these names from torch.
        self.context: LearnedContext | None = None
        self.example_space: ExampleSpace | None = None

    def bank(self, vocabulary: Vocabulary | None = None) -> NameBank:
        """The bank of a vocabulary, embedded by this model; of its own if not given."""
        if vocabulary is not None and vocabulary is not self.vocabulary:
            return self._embed(vocabulary)
        if self.own_bank is None:
            self.own_bank = self._embed(self.vocabulary)
        return self.own_bank

    def bank_of_labels(self) -> NameBank:
        """What labels index: the own vocabulary's bank, or that of a context as it learns."""
        context, learns = self.context, self.training and torch.is_grad_enabled()
        if context is not None and learns and context.vectors.requires_grad:
            return context.bank_to_learn(self.text_encoder, self.vocabulary)
        return self.bank()

    @property
    def text_reader(self) -> TextReader:
        """How texts of names are read, for what compares them before they are embedded."""
        tokenizer, context = self.text_encoder.tokenizer, self.context
        if context is None:
            return TextReader(tokenizer, self.templates)
        return TextReader(tokenizer, context.templates, len(context.vectors))

    def _embed(self, vocabulary: Vocabulary) -> NameBank:
        report_texts(vocabulary, self.text_reader)
        dtype, context = self.classifier.dtype, self.context
        if context is not None:
            bank = context.bank(self.text_encoder, vocabulary, self.text_cache, dtype)
        else:
            bank = embed_bank(self.text_encoder, vocabulary, self.templates, self.text_cache, dtype)
        return replace(bank, reader=self.text_reader, space=self.example_space)


class OpenVocabularySegmenter(Naming, PromptableSegmenter):
    """A segmenter that compares region embeddings with CLIP's embeddings of names.

    Args:
        text_encoder: Config of CLIP's text tower.
        vocabulary: What :func:`~ovsam.vocabulary.build_vocabulary` takes. Labels, in training
            too, index its names.
        templates: Of :func:`~ovsam.naming.embed_bank`.
        classifier: Config of how regions are compared with names, see
            :class:`~ovsam.naming.OpenVocabularyClassifier`.
        score_fusion: Config of how several opinions of a region become one; for models that have
            one opinion, or are to use their first one alone, None.
        text_cache: Config of the cache of text embeddings; one in the user's cache folder if not
            given, see :class:`~ovsam.naming.TextEmbeddingCache`.
        context: Config of a learned context, which takes the place of ``templates``; see
            :class:`~ovsam.naming.LearnedContext`.
        example_space: Config of where regions are compared with examples of names, see
            :class:`~ovsam.naming.ExampleSpace`; names cannot be taught if not given.
        calibration: Config of what makes scores of names probabilities, see
            :class:`~ovsam.naming.TemperatureScaling`; scores stay as they are if not
            given.
        none_threshold: What suits this calibration as
            :class:`~ovsam.apis.OVSAMPredictor`'s least probability of a name, in [0, 1]; kept for
            those who ask.
        **kwargs: Of :class:`PromptableSegmenter`.
    """

    def __init__(
        self,
        text_encoder: dict,
        vocabulary,
        templates: str | Sequence[str] = 'vild',
        classifier: dict | None = None,
        score_fusion: dict | None = None,
        text_cache: dict | None = None,
        context: dict | None = None,
        example_space: dict | None = None,
        calibration: dict | None = None,
        none_threshold: float = 0.0,
        **kwargs,
    ):
        super().__init__(vocabulary, **kwargs)
        self.text_encoder = MODELS.build(text_encoder)
        self.context = (
            MODELS.build(dict(context, width=self.text_encoder.width)) if context else None
        )
        self.classifier = MODELS.build(classifier or dict(type='OpenVocabularyClassifier'))
        self.score_fusion = MODELS.build(score_fusion) if score_fusion else None
        self.templates = templates
        self.text_cache = TASK_UTILS.build(text_cache or dict(type='TextEmbeddingCache'))
        self.example_space = MODELS.build(example_space) if example_space else None
        if self.example_space is not None:
            self.frozen = (*self.frozen, 'example_space')
        self.calibration = MODELS.build(calibration) if calibration else None
        self.none_threshold = none_threshold

    def label_rows(self, features: ImageFeatures, chunk: Prompts, regions: Regions) -> dict:
        """Best name, its score and the best few; see the base class."""
        return self.named_rows(self.region_embeddings(features, regions))

    def named_rows(self, embeddings: tuple[Tensor, ...]) -> dict:
        """Fields of ``pred_instances`` of regions by their embeddings."""
        best = self.name(embeddings, k=self.TOP_K)
        return dict(
            labels=best.labels[:, 0], scores=best.log_scores[:, 0].exp(), topk_labels=best.labels
        )

    def init_weights(self) -> None:
        """Initialise every part; a context starts from its words."""
        had_weights = self.is_init
        super().init_weights()
        if self.context is not None and not had_weights:
            self.context.start_from_words(self.text_encoder)

    def train(self, mode: bool = True) -> OpenVocabularySegmenter:  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Switch mode; what names were before a context learns is forgotten."""
        if mode and self.context is not None:
            self.own_bank = None
        return super().train(mode)
