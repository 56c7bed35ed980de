"""What a line of a config changes in a training: memory and speed, not what is learned."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.runner.activation_checkpointing import turn_on_activation_checkpointing
from torch.autograd.graph import saved_tensors_hooks

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter
from ovsam.utils.paths import config_path
from tests.tiny_training import assert_same
from tools import export_checkpoint

BLOCKS = ['neck.blocks.0', 'neck.blocks.1']


def learned(checkpoint):
    return checkpoint['state_dict']


def test_it_learns_and_keeps_what_was_learned_only(tiny_training, train):
    checkpoint, recorder = train(tiny_training, **{'train_cfg.max_iters': 8})
    assert recorder.losses[-1] < 0.9 * recorder.losses[0]
    assert {name.split('.')[0] for name in learned(checkpoint)} == {'neck'}


def test_accumulated_gradients_are_those_of_a_larger_batch(tiny_training, train):
    whole, _ = train(tiny_training)
    parts, recorder = train(
        tiny_training,
        **{
            'optim_wrapper.accumulative_counts': 2,
            'train_dataloader.batch_size': 2,
            'train_cfg.max_iters': 6,
        },
    )
    assert_same(learned(parts), learned(whole))
    before, after = recorder.weights[1:3]
    assert_same(after, before, rtol=0, atol=0)  # the third batch is half a step


def test_activation_checkpointing(tiny_training, train, monkeypatch):
    """The same weights, from fewer numbers that are kept for the backward pass."""
    forward, kept = SAM2CLIPAdapter.forward, []

    def counting_forward(self, levels):
        kept.append(0)

        def keep(tensor):
            kept[-1] += tensor.numel()
            return tensor

        with saved_tensors_hooks(keep, lambda tensor: tensor):
            return forward(self, levels)

    monkeypatch.setattr(SAM2CLIPAdapter, 'forward', counting_forward)
    plain, _ = train(tiny_training)
    checkpointed, _ = train(tiny_training, activation_checkpointing=BLOCKS)
    assert_same(learned(checkpointed), learned(plain))
    assert len(kept) == 6 and max(kept[3:]) < min(kept[:3])


def kept(module, inputs) -> float:
    """GB that autograd keeps for the backward pass, without weights."""
    weights = {weight.untyped_storage()._cdata for weight in module.parameters()}
    sizes = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        sizes[storage._cdata] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        output = module(inputs)  # noqa: F841  (as long as it is there, so are its tensors)
    return sum(sizes[key] for key in sizes.keys() - weights) / 1e9


def test_what_the_adapter_keeps_at_paper_scale():
    """The figures in docs/data-and-training.md; on 'meta' nothing is computed."""
    with torch.device('meta'):
        cfg = Config.fromfile(config_path('sam2clip/sam2clip_RN50x16.py'))
        adapter = MODELS.build(cfg.model.neck)
        levels = [
            torch.empty(1, channels, size, size)
            for channels, size in ((384, 256), (768, 128), (1536, 64), (3072, 32))
        ]
        cells = torch.empty(1, 64, 64, 1280, requires_grad=True)
        assert kept(adapter, levels) == pytest.approx(3.57, abs=5e-3)
        assert kept(adapter.blocks[4], cells) == pytest.approx(1.47, abs=5e-3)
        turn_on_activation_checkpointing(adapter, [f'blocks.{i}' for i in range(5)])
        assert kept(adapter, levels) == pytest.approx(0.33, abs=5e-3)


def test_bfloat16(tiny_training, train):
    """Products are in bfloat16; what is learned is in float32, and nearly the same."""
    plain, _ = train(tiny_training, **{'train_cfg.max_iters': 8})
    mixed, recorder = train(
        tiny_training, **{'train_cfg.max_iters': 8, 'optim_wrapper.type': 'BFloat16OptimWrapper'}
    )
    start = recorder.weights[0]
    assert recorder.losses[-1] < 0.9 * recorder.losses[0]
    assert {value.dtype for value in learned(mixed).values()} == {torch.float32}
    moved, expected = (
        torch.cat([(learned(each)[name] - start[name]).flatten() for name in start])
        for each in (mixed, plain)
    )
    assert not torch.equal(moved, expected)
    assert torch.cosine_similarity(moved, expected, dim=0) > 0.99


def test_moving_averages(tiny_training, train, tmp_path):
    """The checkpoint's weights are the averages; what is averaged, and its state, is beside."""
    hooks = [*tiny_training.custom_hooks, dict(type='EMAHook', momentum=0.3)]
    checkpoint, recorder = train(tiny_training, custom_hooks=hooks)
    average = recorder.weights[0]
    for weights in recorder.weights[1:]:
        average = {name: 0.7 * average[name] + 0.3 * weights[name] for name in average}
    assert_same({name: learned(checkpoint)[name] for name in average}, average)
    raw = checkpoint['ema_state_dict']
    assert_same({name: raw[f'module.{name}'] for name in average}, recorder.weights[-1])
    # Frozen parts are in neither.
    assert {name.split('.')[0] for name in learned(checkpoint)} == {'neck'}
    assert {name.split('.')[1] for name in raw if name != 'steps'} == {'neck'}
    # Exported, the averages are left.
    path = f'{tiny_training.work_dir}/iter_3.pth'
    assert export_checkpoint.main(['--out', str(tmp_path / 'small.pth'), path]) == 0
    small = load_from_local(str(tmp_path / 'small.pth'))['state_dict']
    assert_same(small, {name: value.half() for name, value in learned(checkpoint).items()})


def test_moving_averages_go_on_after_an_interruption(tiny_training, train, tmp_path):
    hooks = [*tiny_training.custom_hooks, dict(type='EMAHook', momentum=0.3)]
    whole, _ = train(tiny_training, custom_hooks=hooks, **{'train_cfg.max_iters': 4})
    parts = Config(dict(tiny_training.to_dict(), work_dir=str(tmp_path / 'parts')))
    train(parts, custom_hooks=hooks, **{'train_cfg.max_iters': 2})
    found, _ = train(parts, custom_hooks=hooks, resume=True, **{'train_cfg.max_iters': 4})
    assert_same(learned(found), learned(whole))
    assert_same(found['ema_state_dict'], whole['ema_state_dict'])
