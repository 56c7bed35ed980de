"""What a training step costs on paper: operations and bytes, counted and not timed.

An operation is a multiplication with its addition, counted as in :mod:`.complexity`, in the forward
and in the backward pass. Saved bytes are those of tensors that autograd keeps from the one to the
other, each storage once and without parameters and buffers; what a kernel takes for a moment comes
on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from .complexity import attention_as_products


class StepCost(NamedTuple):
    """One step's share.

    Attributes:
        operations: Forward and backward.
        saved: Bytes kept for the backward pass.
        recomputed: Operations that activation checkpointing of the blocks adds: their forward
            pass once more.
        checkpointed: Bytes kept with it, at most: the blocks' inputs, one block's own bytes, and
            what is saved outside of them.
    """

    operations: int
    saved: int
    recomputed: int
    checkpointed: int


class _BlockCost(NamedTuple):
    """What one block adds: operations and saved bytes of its forward pass, bytes of its input."""

    operations: int
    saved: int
    given: int


class _SavedBytes:
    """Counts what autograd saves, each storage once."""

    def __init__(self, model: nn.Module) -> None:
        self._own = {
            tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())
        }
        # Kept, so that no other storage is taken for one that has gone; on the device meta, where
        # no tensor has an address, a storage's own number tells it from others.
        self._storages: dict[int, torch.UntypedStorage] = {}

    def pack(self, tensor: Tensor) -> Tensor:
        """For ``saved_tensors_hooks``."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self._own:
            self._storages[storage._cdata] = storage
        return tensor.detach()  # the tensor itself would keep itself alive

    @property
    def total(self) -> int:
        """Bytes so far."""
        return sum(storage.nbytes() for storage in self._storages.values())


def count_step(
    model: nn.Module, loss: Callable[[], Tensor], blocks: Iterable[nn.Module] = ()
) -> StepCost:
    """Run a step, and count.

    On the device ``meta`` it computes nothing, and costs neither time nor memory.

    Args:
        model: What learns, in training mode; it gets gradients.
        loss: Its forward pass, to a scalar.
        blocks: Parts that activation checkpointing would be switched on for, each called once
            with its input first.
    """
    saved = _SavedBytes(model)
    shares: list[_BlockCost] = []
    with attention_as_products(), FlopCounterMode(display=False) as counter:
        with torch.autograd.graph.saved_tensors_hooks(saved.pack, lambda tensor: tensor):
            with _watched(blocks, counter, saved, shares):
                value = loss()
        value.backward()
    recomputed = sum(share.operations for share in shares)
    checkpointed = (
        saved.total
        + sum(share.given - share.saved for share in shares)
        + max((share.saved for share in shares), default=0)
    )
    return StepCost(counter.get_total_flops() // 2, saved.total, recomputed, checkpointed)


@contextmanager
def _watched(
    blocks: Iterable[nn.Module],
    counter: FlopCounterMode,
    saved: _SavedBytes,
    shares: list[_BlockCost],
) -> Iterator[None]:
    """Notes what each block adds while it runs."""
    begun: list[tuple[int, int]] = []

    def before(block: nn.Module, args: tuple) -> None:
        begun.append((counter.get_total_flops(), saved.total))

    def after(block: nn.Module, args: tuple, output: Tensor) -> None:
        operations, kept = begun.pop()
        shares.append(
            _BlockCost(
                (counter.get_total_flops() - operations) // 2, saved.total - kept, args[0].nbytes
            )
        )

    with ExitStack() as stack:
        for block in blocks:
            for handle in (
                block.register_forward_pre_hook(before),
                block.register_forward_hook(after),
            ):
                stack.callback(handle.remove)
        yield
