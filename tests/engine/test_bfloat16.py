"""Each stage of the small world in bfloat16 on the CPU: the same loss, nearly the same gradient."""

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from ovsam.engine import BFloat16OptimWrapper
from ovsam.utils.paths import config_path, resource_root

STAGES = ('sam', 'sam2clip', 'clip2sam_joint', 'interactive')


@pytest.fixture(params=STAGES)
def stage(request, small_world, monkeypatch):
    """Model and batch of a training config, with the shipped weights."""
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(resource_root() / 'checkpoints/mini'))
    cfg = Config.fromfile(config_path(f'mini/{request.param}.py'))
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
        model.init_weights()
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    return model.train(), pseudo_collate([dataset[0], dataset[1]])


def step(model, batch, context):
    """Loss and gradient of a step, with the same random prompts each time."""
    torch.manual_seed(0)
    np.random.seed(0)
    model.zero_grad()
    with context:
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    return total.item(), torch.cat(
        [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    )


@pytest.mark.slow
def test_a_step(stage):
    model, batch = stage
    learned = [p for p in model.parameters() if p.requires_grad]
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(learned, lr=0.1))
    loss, gradient = step(model, batch, torch.enable_grad())
    mixed_loss, mixed = step(model, batch, wrapper.optim_context(model))
    similarity = torch.cosine_similarity(gradient, mixed, dim=0).item()
    print(
        f'{type(model).__name__}: loss {loss:.4f}, {mixed_loss:.4f} in bfloat16; '
        f'cosine of the gradients {similarity:.4f}'
    )
    assert mixed.dtype == torch.float32 and mixed_loss != loss
    # Corrections are drawn on the masks' errors, so that a conversation takes another way.
    most, least = (0.1, 0.7) if 'Interactive' in type(model).__name__ else (0.02, 0.9)
    assert mixed_loss == pytest.approx(loss, rel=most)
    assert similarity > least
