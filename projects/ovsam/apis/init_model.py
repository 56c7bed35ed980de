"""A config as a model that is ready for use."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from ..checkpoints.fetch import WeightStore
from ..checkpoints.loading import NothingDrawn, load_weights
from ..checkpoints.model_index import read_model_index
from ..parts.clip_backbone import CLIPBackbone
from ..utils.paths import config_path
from .notices import notice_of_domain

ALIASES = {
    'photo': 'photo/all_box.py',
    'mini': 'mini/ovsam_box_all_names.py',
    'mini-interactive': 'mini/interactive_box_all_names.py',
}
PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
# Parts of models that keep float32.
IN_FULL_PRECISION = (
    'data_preprocessor',
    'prompt_encoder',
    'text_encoder',
    'context',
    'example_space',
)
# The key of a config that says which published model's weights it needs.
PUBLISHED = 'published_model'


def init_model(
    config: str | Path | Config,
    weights: str | Path | None = None,
    device: str | torch.device | None = None,
    cfg_options: dict | None = None,
) -> nn.Module:
    """Build a model and load all its weights.

    Args:
        config: A config; or the path of one, from the working directory or below ``configs/``;
            or a published model's name, such as ``'ovsam-rn50x16-coco'`` (docs/weights.md), whose
            weights are downloaded and converted the first time; or ``'photo'``, a small OVSAM for
            photographs (docs/photographs.md); or ``'mini'``, the OVSAM of the small world, or
            ``'mini-interactive'``, which takes corrections and gives several masks.
        weights: Checkpoint with what was learned; the config's ``load_from`` if not given. A
            relative path counts from the working directory, then from the project's root.
        device: Where to; CUDA if there is, else the CPU.
        cfg_options: Changes to the config by dotted key, e.g. ``{'model.chunk_size': 8}``.

    Returns:
        The model, in eval mode. It is not for training: batch norms of its CLIP are folded.

    Raises:
        ConnectionError: A published model's weights cannot be downloaded.
        FileNotFoundError: There is no such config or checkpoint.
        OSError: There is not enough disk for a published model's weights.
        ValueError: It is no config or has no model, the checkpoints do not fit it, or there is no
            such device.
    """
    cfg = load_config(config)
    if cfg_options:
        cfg.merge_from_dict(cfg_options)
    if 'model' not in cfg:
        raise ValueError(f"{config} has no 'model': give the config of a whole model")
    device = choose_device(device)
    if cfg.get(PUBLISHED):
        _provide_weights(cfg, own_checkpoint=weights is not None)
    model = _with_weights(cfg, weights or cfg.get('load_from'))
    model.domain = cfg.get('domain')
    return for_use(model.to(device))


def for_use(model: nn.Module) -> nn.Module:
    """The same model in eval mode, with the batch norms of its CLIP folded."""
    for part in model.modules():
        if isinstance(part, CLIPBackbone):
            part.fold_norms()
    return model.eval()


def _with_weights(cfg: Config, weights: str | Path | None) -> nn.Module:
    # Parts of mmengine build by the process's default scope; a library must not change that.
    scope = DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet'))
    with scope, NothingDrawn():
        model = MODELS.build(cfg.model)
    load_weights(model, weights)
    return model


def say_notice(model: nn.Module) -> None:
    """Print what :func:`notice_of` says, if it says anything, beside the results."""
    notice = notice_of(model)
    if notice:
        print(notice, file=sys.stderr)


def notice_of(model: nn.Module) -> str | None:
    """What to say of a model's results, see :func:`~.notices.notice_of_domain`.

    A config whose weights know something else than photographs says so as ``domain``.
    """
    return notice_of_domain(getattr(model, 'domain', None))


def load_config(config: str | Path | Config) -> Config:
    """The config that :func:`init_model` means by ``config``; a copy if it is one already.

    Raises:
        FileNotFoundError: There is none of that name; the message names the nearest ones.
        ValueError: It is a file of another kind, or the name of weights that are not a whole model.
    """
    if isinstance(config, Config):
        return config.copy()
    if Path(config).is_file():
        if Path(config).suffix not in ('.py', '.json', '.yaml', '.yml'):
            raise ValueError(
                f'{config} is no config: expected a .py file, or the name of a model; a checkpoint '
                'is what weights are'
            )
        return Config.fromfile(config)
    if str(config) in ALIASES:
        return Config.fromfile(config_path(ALIASES[str(config)]))
    index = read_model_index()
    if str(config) in index.models:
        cfg = load_config(index.models[str(config)].config)
        cfg[PUBLISHED] = str(config)
        return cfg
    if str(config) in index.files:
        raise ValueError(
            f'{config} is a part of a model: expected a whole one, for example '
            f'{" or ".join([*index.models][:5])}, or a config'
        )
    name = Path(config).as_posix().removeprefix('configs/')
    return Config.fromfile(config_path(name, [*ALIASES, *index.models]))


def _provide_weights(cfg: Config, *, own_checkpoint: bool) -> None:
    """Download and convert what a published model lacks, beside an own checkpoint if given."""
    name = cfg[PUBLISHED]
    files = [
        file
        for file in read_model_index().files_of(name)
        if not (own_checkpoint and file.converted == Path(cfg.load_from).name)
    ]
    try:
        for _ in WeightStore().provide(name, files):
            pass
    except ConnectionError as error:
        raise ConnectionError(
            f'{error}. To get the weights by other means: '
            f'ovsam download {name} says what goes where'
        ) from error


def set_precision(model: nn.Module, precision: str) -> nn.Module:
    """Have a model compute in another precision than float32; its masks and names stay float32.

    Prompts and texts are encoded in float32: positions would be off by pixels, and names that mean
    much the same would be hard to tell apart.

    Args:
        model: Changed in place.
        precision: One of :data:`PRECISIONS`.

    Raises:
        ValueError: There is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f'there is no precision {precision!r}: choose one of {", ".join(PRECISIONS)}'
        )
    # Part by part: there and back again would round what is to stay as it is.
    for name, part in model.named_children():
        part.to(torch.float32 if name in IN_FULL_PRECISION else PRECISIONS[precision])
    return model


def choose_device(device: str | torch.device | None = None) -> torch.device:
    """The device asked for; CUDA if there is and none is asked for, else the CPU.

    Raises:
        ValueError: This machine does not have it.
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
    if chosen.type not in ('cpu', 'cuda'):
        try:
            torch.empty(0, device=chosen)
        except (RuntimeError, AssertionError, ImportError) as error:
            raise ValueError(
                f'device {device} is not there: this PyTorch cannot use it; use cpu or cuda'
            ) from error
    return chosen
