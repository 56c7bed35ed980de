"""What OVSAM and the crop baselines share: they name regions from a bank of names.

Glossary: N regions, K names, C channels.
"""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmdet.registry import MODELS, TASK_UTILS
from torch import Tensor

from ..masks.regions import Regions
from ..naming.name_bank import NameBank
from ..naming.naming import Naming
from ..naming.open_vocabulary_classifier import RankedNames
from ..prompts import Prompts
from .image_features import ImageFeatures
from .promptable_segmenter import PromptableSegmenter

# Scores of regions with all names that are there at once.
SCORES_AT_ONCE = 2**23


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
        templates: Union[str, Sequence[str]] = 'vild',
        classifier: Optional[dict] = None,
        score_fusion: Optional[dict] = None,
        text_cache: Optional[dict] = None,
        context: Optional[dict] = None,
        example_space: Optional[dict] = None,
        calibration: Optional[dict] = None,
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

    def log_scores(self, embeddings: tuple[Tensor, ...], bank: Optional[NameBank] = None) -> Tensor:
        """Log-scores (N, K + 1) of regions, background last; see the base class."""
        bank = self.bank() if bank is None else bank
        # Together: of many names, reading their embeddings is what takes time.
        logits = self.classify(torch.cat(embeddings), bank)
        opinions = logits.split([len(each) for each in embeddings])
        if bank.examples is not None and self.example_space is not None:
            opinions = self.example_space.blend(
                torch.stack(opinions, dim=1),
                torch.stack(embeddings, dim=1),
                bank.examples.to(logits.device),
                self.classifier.scale,
            ).unbind(dim=1)
        scores = self.fuse(opinions, bank)
        return scores if self.calibration is None else self.calibration(scores)

    def fuse(self, opinions: Sequence[Tensor], bank: Optional[NameBank] = None) -> Tensor:
        """Log-scores (N, K + 1), not calibrated, of each opinion's logits (N, K + 1).

        Args:
            opinions: As :meth:`region_embeddings` has them.
            bank: The K names; the model's own if not given.
        """
        if self.score_fusion is None:
            (logits,) = opinions
            return logits.log_softmax(dim=-1)
        known = self.vocabulary.seen.copy() if bank is None else bank.known
        return self.score_fusion(*opinions, torch.from_numpy(known))

    def name(
        self, embeddings: tuple[Tensor, ...], bank: Optional[NameBank] = None, k: int = 5
    ) -> RankedNames:
        """See the base class; however many names and regions there are, few scores are at once."""
        bank = self.bank() if bank is None else bank
        step = max(1, SCORES_AT_ONCE // (len(bank.counts) * len(embeddings)))
        parts = zip(*(each.split(step) for each in embeddings))
        return RankedNames.cat([RankedNames.of(self.log_scores(part, bank), k) for part in parts])

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

    def train(self, mode: bool = True) -> 'OpenVocabularySegmenter':  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Switch mode; what names were before a context learns is forgotten."""
        if mode and self.context is not None:
            self.own_bank = None
        return super().train(mode)
