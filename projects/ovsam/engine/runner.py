"""mmengine's runners on machines with and without a GPU."""

from __future__ import annotations

import atexit
import os
import subprocess
from datetime import timedelta

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import FlexibleRunner, Runner
from torch import distributed, nn

from .json_files import write_metrics_as_json
from .same_names_hook import SameNamesHook


class _OneProcessOrMore(Runner):
    """Leaves a model alone of which nothing learns: torch refuses to wrap it for processes."""

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """See mmengine."""
        if any(parameter.requires_grad for parameter in model.parameters()):
            return super().wrap_model(model_wrapper_cfg, model)
        return model.to(get_device())


def build_runner(cfg: Config) -> Runner | FlexibleRunner:
    """The runner of a config, in one process or, by ``cfg.launcher``, in several.

    A config with a ``strategy`` gets mmengine's ``FlexibleRunner``, others its ``Runner``.

    mmengine starts several processes on GPUs only. On a machine without one they talk by gloo
    here, each with a copy of the model on the CPU. A process that the others wait for longer than
    ``cfg.env_cfg.dist_cfg.timeout`` seconds counts as lost: they fail instead of waiting on.

    Before its first step a run fails if the model's names are not the data's, see
    :class:`.SameNamesHook`.

    Raises:
        ValueError: The launcher is neither ``pytorch`` nor ``slurm``, and there is no GPU.
    """
    write_metrics_as_json()
    launcher = cfg.get('launcher', 'none')
    flexible = cfg.get('strategy') is not None
    if launcher != 'none' and not torch.cuda.is_available():
        _join_on_cpu(launcher, cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout'))
        if not flexible:
            cfg.model_wrapper_cfg = dict(
                type='MMDistributedDataParallel',
                device_ids=None,
                broadcast_buffers=False,
                find_unused_parameters=cfg.get('find_unused_parameters', False),
            )
    runner = (FlexibleRunner if flexible else _OneProcessOrMore).from_cfg(cfg)
    runner.register_hook(SameNamesHook())
    return runner


def _join_on_cpu(launcher: str, timeout: float | None) -> None:
    if launcher == 'slurm':
        os.environ.update(_slurm_places(os.environ))
    elif launcher != 'pytorch':
        raise ValueError(
            f'without a GPU, processes are started by pytorch or slurm, not by {launcher}'
        )
    if not distributed.is_initialized():
        # torch's own default if there is none.
        distributed.init_process_group(
            'gloo', timeout=None if timeout is None else timedelta(seconds=timeout)
        )
        atexit.register(_leave)


def _leave() -> None:
    """Ends gloo's threads: one that still runs when the process ends may abort it."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _slurm_places(environ) -> dict[str, str]:
    """What torch asks the environment for, from what Slurm sets; what is set already stays."""
    places = {
        'RANK': environ['SLURM_PROCID'],
        'WORLD_SIZE': environ['SLURM_NTASKS'],
        'LOCAL_RANK': environ['SLURM_LOCALID'],
        'MASTER_PORT': environ.get('MASTER_PORT', '29500'),
    }
    if 'MASTER_ADDR' not in environ:
        hosts = subprocess.run(
            ['scontrol', 'show', 'hostnames', environ['SLURM_NODELIST']],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        places['MASTER_ADDR'] = hosts.split()[0]
    return places
