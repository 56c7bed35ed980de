"""Train a CLIP from scratch on pictures of named things.

Glossary: B images, K classes, L tokens of a text, C channels of the joint space.

Large CLIPs come with weights; this trainer is for the miniature one, whose pictures and names are
few. Beside CLIP's contrastive loss (open_clip's) it has an auxiliary one, cross-entropy against a
learned row per class, without which so small a text tower takes long to leave chance level. The
rows are for training only.
"""

from collections.abc import Sequence
from typing import Optional

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.dist import get_rank, get_world_size
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from open_clip.loss import ClipLoss
from torch import Tensor, nn

from ..naming.scores import CLIP_LOGIT_SCALE
from ..parts.clip_arch import Arch, build_clip, build_tokenizer, clip_config
from ..vocabulary import build_vocabulary


@MODELS.register_module()
class ContrastiveCLIP(BaseModel):
    """Both towers of a CLIP with the contrastive and the auxiliary class loss.

    Args:
        arch: open_clip name or configuration, see :mod:`~ovsam.parts.clip_arch`.
        vocabulary: Names of the K classes; label ``k`` is name ``k``.
        templates: Texts with ``{}`` for the name; one is drawn per image and step.
        class_loss_weight: Weight of the auxiliary loss; with 0 there is no table of classes.
        data_preprocessor: As in mmengine; gives normalised RGB.
        init_cfg: As in mmengine.
    """

    def __init__(
        self,
        arch: Arch,
        vocabulary,
        templates: Sequence[str],
        class_loss_weight: float = 1.0,
        data_preprocessor: Optional[dict] = None,
        init_cfg: Optional[dict] = None,
    ):
        super().__init__(data_preprocessor, init_cfg)
        self.vocabulary = build_vocabulary(vocabulary)
        self.clip = build_clip(arch)
        # Each process's images are told apart from the texts of all, as in one large batch.
        self.contrastive_loss = ClipLoss(
            local_loss=True, gather_with_grad=True, rank=get_rank(), world_size=get_world_size()
        )
        self.class_loss_weight = class_loss_weight
        embed_dims = clip_config(arch)['embed_dim']
        self.class_table = (
            nn.Parameter(torch.randn(len(self.vocabulary), embed_dims))
            if class_loss_weight
            else None
        )
        tokenizer = build_tokenizer(arch)
        tokens = [
            tokenizer([template.format(name) for name in self.vocabulary.names])
            for template in templates
        ]
        self.register_buffer('tokens', torch.stack(tokens, dim=1), persistent=False)  # (K, T, L)
        self._text_features = None

    def train(self, mode: bool = True) -> 'ContrastiveCLIP':  # noqa: FBT001, FBT002 (nn.Module's signature)
        """Switch mode; texts are embedded anew at the next evaluation."""
        self._text_features = None
        return super().train(mode)

    def forward(
        self,
        inputs: Tensor,
        data_samples: None = None,
        labels: Optional[Tensor] = None,
        mode: str = 'tensor',
    ):
        """Run one of mmengine's modes.

        Args:
            inputs: (B, 3, H, W) normalised crops.
            data_samples: Not used; mmengine's preprocessor passes it.
            labels: (B,) class of each crop.
            mode: 'loss' -> dict of losses; 'predict' -> B ``DataSample`` with ``pred_score`` (K,)
                and ``gt_label``; 'tensor' -> (B, C) unit image embeddings.
        """
        # Channels last is the faster layout for convolutions on CPUs.
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        image = F.normalize(self.clip.visual(inputs), dim=-1)
        if mode == 'tensor':
            return image
        if mode == 'predict':
            return self._predict(image, labels)
        return self._loss(image, labels)

    def _loss(self, image: Tensor, labels: Tensor) -> dict:
        template = torch.randint(self.tokens.shape[1], labels.shape, device=labels.device)
        text = F.normalize(self.clip.encode_text(self.tokens[labels, template]), dim=-1)
        scale = self.clip.logit_scale.clamp(max=CLIP_LOGIT_SCALE).exp()
        losses = dict(loss_contrastive=self.contrastive_loss(image, text, scale))
        if self.class_table is not None:
            logits = scale * image @ F.normalize(self.class_table, dim=-1).T
            losses['loss_class'] = self.class_loss_weight * F.cross_entropy(logits, labels)
        return losses

    def text_features(self) -> Tensor:
        """(K, C) unit embeddings of the names, averaged over the templates."""
        if self._text_features is None:
            each = [
                F.normalize(self.clip.encode_text(tokens), dim=-1)
                for tokens in self.tokens.unbind(1)
            ]
            self._text_features = F.normalize(torch.stack(each).mean(0), dim=-1)
        return self._text_features

    def _predict(self, image: Tensor, labels: Tensor) -> list[DataSample]:
        scores = (self.clip.logit_scale.exp() * image @ self.text_features().T).softmax(-1)
        return [
            DataSample().set_pred_score(score).set_gt_label(label)
            for score, label in zip(scores, labels)
        ]
