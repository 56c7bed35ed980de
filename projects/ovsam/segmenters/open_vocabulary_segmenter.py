"""What OVSAM and the crop baselines share: names from a vocabulary that may change at any time.

Glossary: N regions, K classes, C channels.
"""

from collections.abc import Sequence
from typing import Optional, Union

import torch
from mmdet.registry import MODELS, TASK_UTILS
from torch import Tensor

from ..naming.calibration import TemperatureScaling
from ..naming.name_ranking import NameRanking, OpinionWeights, RankedNames
from ..naming.naming import Naming
from .promptable_segmenter import PromptableSegmenter


class OpenVocabularySegmenter(Naming, PromptableSegmenter):
    """A segmenter that compares region embeddings with CLIP's embeddings of names.

    Args:
        text_encoder: Config of CLIP's text tower.
        vocabulary: What :func:`~ovsam.vocabulary.build_vocabulary` takes. Labels, in training
            too, index its names.
        templates: Of :func:`~ovsam.naming.embed_vocabulary`.
        classifier: Config of what keeps the names and compares with them; in float32 and without
            padding if not given, see :class:`~ovsam.naming.TextBankClassifier`.
        text_cache: Config of the cache of text embeddings; one in the user's cache folder if not
            given, see :class:`~ovsam.naming.TextEmbeddingCache`.
        context: Config of a learned context, which takes the place of ``templates``; see
            :class:`~ovsam.naming.LearnedContext`.
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
        text_cache: Optional[dict] = None,
        context: Optional[dict] = None,
        calibration: Optional[dict] = None,
        none_threshold: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.text_encoder = MODELS.build(text_encoder)
        self.context = (
            MODELS.build(dict(context, width=self.text_encoder.width)) if context else None
        )
        self.classifier = MODELS.build(classifier or dict(type='TextBankClassifier'))
        self.templates = templates
        self.text_cache = TASK_UTILS.build(text_cache or dict(type='TextEmbeddingCache'))
        self.calibration = MODELS.build(calibration) if calibration else None
        self.none_threshold = none_threshold
        self.set_vocabulary(vocabulary)

    def name_embeddings(self, embeddings: tuple[Tensor, ...]) -> Tensor:
        """Log-scores (N, K + 1), probabilities' where they are calibrated; see the base."""
        # Together: of many names, reading their embeddings is what takes time.
        logits = self.classify(torch.cat(embeddings))
        scores = self.fuse(logits.split([len(each) for each in embeddings]))
        return scores if self.calibration is None else self.calibration(scores)

    def fuse(self, opinions: Sequence[Tensor]) -> Tensor:
        """Log-scores (N, K + 1), not calibrated, of each opinion's logits (N, K + 1)."""
        (logits,) = opinions
        return logits.log_softmax(dim=-1)

    def best_names(self, embeddings: tuple[Tensor, ...], k: int) -> RankedNames:
        """See the base; however many names there are, few columns of scores are there at once."""
        k = min(k, len(self.vocabulary))
        weights = self.opinion_weights()
        if weights is None or not isinstance(self.calibration, (TemperatureScaling, type(None))):
            return super().best_names(embeddings, k)
        ranking = NameRanking(weights, k, self.calibration and self.calibration.temperature)
        shape = len(embeddings), len(embeddings[0])
        for first, logits in self._ready_classifier().logit_chunks(torch.cat(embeddings)):
            ranking.add(first, logits.unflatten(0, shape))
        return ranking.best()

    def opinion_weights(self) -> Optional[OpinionWeights]:
        """What :meth:`fuse` gives each opinion, if it is nothing but a weighted sum."""
        device = next(self.parameters()).device
        return OpinionWeights(
            torch.ones(1, 1, device=device),
            torch.zeros(len(self.vocabulary) + 1, dtype=torch.long, device=device),
        )

    def init_weights(self) -> None:
        """Initialise every part; a context starts from its words."""
        had_weights = self.is_init
        super().init_weights()
        if self.context is not None and not had_weights:
            self.context.start_from_words(self.text_encoder)

    def train(self, mode: bool = True) -> 'OpenVocabularySegmenter':
        """Switch mode; what names were before a context learns is forgotten."""
        if mode and self.context is not None:
            self.classifier.embeddings = None
        return super().train(mode)
