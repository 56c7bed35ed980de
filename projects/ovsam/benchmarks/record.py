"""What is measured of one method, kept so that it is measured once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn
from tqdm import tqdm

from ..utils.files import write_json
from .complexity import count_complexity, total_complexity
from .methods import Method
from .timing import measure_latency


@dataclass(frozen=True)
class Record:
    """Figures of one method.

    Attributes:
        metrics: Of the method's metrics, by key.
        parameters: Number of them, text encoder left out; None for a model without prompts of its
            own.
        image_operations: Multiply-adds for an image; None likewise.
        prompt_operations: For each prompt on it.
        image_seconds: For an image, pre-processing included; None if not measured.
        prompt_seconds: For a prompt, post-processing included.
    """

    metrics: dict[str, float]
    parameters: int | None = None
    image_operations: int | None = None
    prompt_operations: int | None = None
    image_seconds: float | None = None
    prompt_seconds: float | None = None


def make_record(
    method: Method,
    folder: Path,
    build: Callable[[], nn.Module],
    repeat: int = 5,
    device: str | torch.device = 'cpu',
) -> Record:
    """Evaluate and time a method, or read what was measured of it before from a file in a folder.

    The model with its weights is built only when needed. Times are medians of ``repeat`` calls on
    the device, with torch's number of threads; 0 leaves them out.
    """
    device = torch.device(device)
    timed = f'{repeat}-{device.type}-{torch.get_num_threads()}' if repeat else '0'
    path = folder / f'{method.path.stem}-{method.fingerprint}-{timed}.json'
    if path.is_file():
        kept = json.loads(path.read_text(encoding='utf-8'))
        kept['metrics'] = {
            key: math.nan if value is None else value for key, value in kept['metrics'].items()
        }
        return Record(**kept)
    model = build()
    metrics = evaluate(method, model)
    again = metrics.get('ov/Again', 100) / 100
    record = Record(metrics=metrics, **_cost(method.cfg, repeat, device, again))
    write_json(path, asdict(record), indent=1)
    return record


@torch.no_grad()
def evaluate(method: Method, model: nn.Module) -> dict[str, float]:
    """The metrics of a method's model on its test data, with a progress bar."""
    cfg = method.cfg
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet')):
        loader = Runner.build_dataloader(cfg.test_dataloader)
        evaluator = Evaluator(method.evaluators())
        evaluator.dataset_meta = loader.dataset.metainfo
        for data in tqdm(loader, desc=method.name, unit='batch'):
            evaluator.process(model.test_step(data), data)
        metrics = evaluator.evaluate(len(loader.dataset))
    return {key: float(value) for key, value in metrics.items()}


def _cost(cfg: Config, repeat: int, device: torch.device, again: float) -> dict:
    """Fields of the record; of a model that takes no prompts there are none."""
    if 'prompter' not in cfg.model:
        return {}
    total = total_complexity(count_complexity(cfg, again=again))
    fields: dict[str, float] = dict(
        parameters=total.parameters, image_operations=total.image, prompt_operations=total.prompt
    )
    if repeat:
        latency = measure_latency(cfg, repeat=repeat, device=device)
        fields.update(image_seconds=latency.image, prompt_seconds=latency.prompts)
    return fields
