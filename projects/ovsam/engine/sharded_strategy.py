"""Weights, gradients and the optimiser's state divided among processes."""

from __future__ import annotations

from typing import Any

import torch
from mmengine._strategy import FSDPStrategy
from mmengine.device import get_device
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from mmengine.registry import FUNCTIONS, STRATEGIES
from mmpretrain.models.backbones.vit_sam import TransformerEncoderLayer
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.fsdp.wrap import ModuleWrapPolicy


@FUNCTIONS.register_module()
def is_transformer_layer(module: nn.Module) -> bool:
    """A ``check_fn`` of ``activation_checkpointing``: what runs a second time."""
    return isinstance(module, TransformerEncoderLayer)


@STRATEGIES.register_module()
class ShardedStrategy(FSDPStrategy):
    """mmengine's FSDP for models with frozen parts; without a GPU, too.

    Each transformer layer's weights come together when it is their turn. Frozen parts, which have
    neither gradients nor an optimiser's state, are not divided. A checkpoint's weights are those of
    any training; its optimiser's state is for trainings by this strategy.

    Gradients are clipped by the norm of all of them; mmengine would take each process's share for
    itself.

    Args:
        model_wrapper: Arguments of mmengine's ``MMFullyShardedDataParallel``.
        **kwargs: Of mmengine's ``FSDPStrategy``, but for ``state_dict_cfg``: the first process
            writes all of a checkpoint.
    """

    model_wrapper: dict | None

    def __init__(self, *, model_wrapper: dict | None = None, **kwargs) -> None:
        # To the CPU from a GPU only: from the CPU, torch would free what it had not copied.
        whole = dict(rank0_only=True, offload_to_cpu=torch.cuda.is_available())
        super().__init__(
            model_wrapper=model_wrapper,
            state_dict_cfg=dict(
                state_dict_type='FULL_STATE_DICT',
                state_dict_config=dict(type='FullStateDictConfig', **whole),
                optim_state_dict_config=dict(type='FullOptimStateDictConfig', **whole),
            ),
            **kwargs,
        )

    def _wrap_model(self, model: BaseModule) -> FullyShardedDataParallel:
        frozen = [getattr(model, name) for name in getattr(model, 'frozen', ())]
        for part in frozen:
            part.to(get_device())
        wrapper: dict[str, Any] = dict(
            ignored_modules=frozen, auto_wrap_policy=ModuleWrapPolicy({TransformerEncoderLayer})
        )
        if not torch.cuda.is_available():
            wrapper['device_id'] = torch.device('cpu')
        self.model_wrapper = {**wrapper, **(self.model_wrapper or {})}
        return super()._wrap_model(model)

    def build_optim_wrapper(self, optim_wrapper, model: nn.Module | None = None) -> OptimWrapper:
        """See mmengine."""
        built = super().build_optim_wrapper(optim_wrapper, model)
        if getattr(built, 'clip_func', None) is torch.nn.utils.clip_grad_norm_:
            # mmengine calls it with a process's own shares of the gradients.
            built.clip_func = lambda _, **kwargs: self.model.clip_grad_norm_(**kwargs)
        return built

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """See mmengine, which gives torch the arguments in the order of torch 2.0."""
        self.optim_wrapper.load_state_dict(
            FullyShardedDataParallel.optim_state_dict_to_load(
                model=self.model, optim=self.optim_wrapper.optimizer, optim_state_dict=state_dict
            )
        )
