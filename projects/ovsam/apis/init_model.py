"""A config as a model that is ready for use."""

from __future__ import annotations

from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from ..checkpoints.loading import load_weights
from ..utils.paths import config_path

ALIASES = {
    'mini': 'mini/ovsam_box_all_names.py',
    'mini-interactive': 'mini/interactive_box_all_names.py',
}


def init_model(
    config: str | Path | Config,
    weights: str | Path | None = None,
    device: str | torch.device | None = None,
    cfg_options: dict | None = None,
) -> nn.Module:
    """Build a model and load all its weights.

    Args:
        config: a config; or the path of one, from the working directory or below ``configs/``;
            or ``'mini'``, the OVSAM of the small world, or ``'mini-interactive'``, which takes
            corrections and gives several masks.
        weights: checkpoint with what was learned; the config's ``load_from`` if not given. A
            relative path counts from the working directory, then from the project's root.
        device: where to; CUDA if there is, else the CPU.
        cfg_options: changes to the config by dotted key, e.g. ``{'model.chunk_size': 8}``.

    Returns:
        The model, in eval mode.

    Raises:
        FileNotFoundError: there is no such config or checkpoint.
        ValueError: the config has no model, the checkpoints do not fit it, or there is no such
            device.
    """
    cfg = load_config(config)
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
    if 'model' not in cfg:
        raise ValueError(f"{config} has no 'model': give the config of a whole model")
    device = choose_device(device)
    # Parts of mmengine build by the process's default scope; a library must not change that.
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet')):
        model = MODELS.build(cfg.model)
    load_weights(model, weights or cfg.get('load_from'))
    model.domain = cfg.get('domain')
    return model.to(device).eval()


def notice_of(model: nn.Module) -> str | None:
    """What whoever shows a model's results should say of them; None if there is nothing to say.

    A config whose weights know something else than photographs says so as ``domain``.
    """
    domain = getattr(model, 'domain', None)
    return domain and (
        f'These weights know {domain} only: what they say of a photograph means nothing. For '
        'photographs: python tools/download_weights.py ovsam-rn50x16-coco, then the config '
        'ovsam/ovsam_RN50x16_coco_box.py (docs/weights.md)'
    )


def load_config(config: str | Path | Config) -> Config:
    """The config that :func:`init_model` means by ``config``; a copy if it is one already."""
    if isinstance(config, Config):
        return config.copy()
    if Path(config).is_file():
        return Config.fromfile(config)
    name = ALIASES.get(str(config), Path(config).as_posix())
    if name.startswith('configs/'):
        name = name[len('configs/') :]
    return Config.fromfile(config_path(name))


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for; CUDA if there is and none is asked for, else the CPU.

    Raises:
        ValueError: this machine does not have it.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f'{device!r} is no device: use cpu, cuda or cuda:NUMBER') from error
    if chosen.type == 'cuda' and (chosen.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f'device {device} is not there: this machine has '
            f'{torch.cuda.device_count()} CUDA devices; use cpu'
        )
    return chosen
