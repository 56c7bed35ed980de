"""A decoder of several masks from the weights of a decoder of one."""

from __future__ import annotations

import torch
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from .mask_decoder import SAMMaskDecoder

PREFIX = 'mask_decoder.'


@WEIGHT_INITIALIZERS.register_module()
class RepeatedMaskTokensInit:
    """Each mask token, with its hypernetwork and its output of the IoU head, starts as the first.

    Noise on the tokens sets them apart; the lowest loss does the rest. All other weights are the
    file's.

    Args:
        checkpoint: File of a model with a :class:`~.mask_decoder.SAMMaskDecoder` of one mask.
        std: Standard deviation of the noise, as a share of the token's own.
    """

    def __init__(self, checkpoint: str, std: float = 0.1) -> None:
        self.checkpoint = checkpoint
        self.std = std

    def __call__(self, module: nn.Module) -> None:
        """Initialises a :class:`~.mask_decoder.SAMMaskDecoder` with an IoU token.

        Raises:
            ValueError: The file has no such decoder, or one of other sizes.
        """
        if not isinstance(module, SAMMaskDecoder) or module.iou_token is None:
            raise ValueError(
                'RepeatedMaskTokensInit is for a SAMMaskDecoder with an IoU token; '
                f'got {type(module).__name__}'
            )
        state = CheckpointLoader.load_checkpoint(self.checkpoint, map_location='cpu')
        state = state.get('state_dict', state)
        state = {
            key[len(PREFIX) :]: value.float()
            for key, value in state.items()
            if key.startswith(PREFIX)
        }
        if 'mask_tokens.weight' not in state:
            raise ValueError(f'{self.checkpoint} has no weights of a mask decoder under {PREFIX!r}')
        num = module.num_mask_tokens
        first = state['mask_tokens.weight'][:1]
        tokens = first.repeat(num, 1)
        tokens[1:] += self.std * first.std() * torch.randn_like(tokens[1:])
        state['mask_tokens.weight'] = tokens
        for key in [key for key in state if key.startswith('output_hypernetworks_mlps.0.')]:
            for index in range(1, num):
                state[key.replace('mlps.0.', f'mlps.{index}.')] = state[key]
        for kind in ('weight', 'bias'):
            key = f'iou_prediction_head.layers.2.{kind}'
            state[key] = state[key][:1].repeat(num, *[1] * (state[key].dim() - 1))
        module.load_state_dict(state)
