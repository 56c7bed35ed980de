"""How much memory a model takes for an image, measured in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmengine.config import Config

from ..apis import OVSAMPredictor
from ..apis.init_model import load_config
from .random_model import build_random_model
from .timing import Latency, threads, time_once


class MemoryUse(NamedTuple):
    """Largest resident memory of a process, in bytes, and the time it took.

    Attributes:
        imported: After the imports.
        built: After building the model, text encoder included.
        peak: After encoding an image and decoding the prompts.
        latency: Of that, without a warm-up.
    """

    imported: int
    built: int
    peak: int
    latency: Latency


def memory(args: argparse.Namespace) -> None:
    """Peak resident memory and seconds."""
    for config, precision in product(args.configs, args.precision):
        given = load_config(config), args.prompts, args.size, precision
        use = in_fresh_process(measure_memory, *given)
        print(
            f'{config}, {precision}: {use.peak / 1e9:.2f} GB at most '
            f'({use.built / 1e9:.2f} GB once built, {use.imported / 1e9:.2f} GB of it imports); '
            f'{use.latency.image:.1f} s to encode the image, '
            f'{use.latency.prompts:.1f} s for {args.prompts} prompts, {threads()}'
        )


def measure_memory(
    cfg: Config, prompts: int = 20, size: int | None = None, precision: str | None = None
) -> MemoryUse:
    """Memory and time for one image on the CPU; to be called by :func:`in_fresh_process`.

    Arguments and errors are those of :func:`~.timing.measure_latency`.
    """
    imported = peak_resident_bytes()
    predictor = OVSAMPredictor(build_random_model(cfg, size), precision=precision)
    built = peak_resident_bytes()
    latency = time_once(predictor, prompts)
    return MemoryUse(imported, built, peak_resident_bytes(), latency)


def peak_resident_bytes() -> int:
    """This process's largest resident memory so far."""
    status = Path('/proc/self/status')
    if status.exists():  # Linux: getrusage would count the parent's memory at the fork
        line = next(line for line in status.read_text().splitlines() if line.startswith('VmHWM'))
        return int(line.split()[1]) * 1024
    import resource  # not on every system

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else peak * 1024


def in_fresh_process(function: Callable, *args) -> Any:
    """Call a function in a new interpreter that has imported nothing else, on as many threads.

    Raises:
        OSError: The process died, most likely for want of memory.
    """
    context, threads = multiprocessing.get_context('spawn'), (torch.get_num_threads(),)
    try:
        with ProcessPoolExecutor(1, context, torch.set_num_threads, threads) as pool:
            return pool.submit(function, *args).result()
    except BrokenProcessPool as error:
        raise OSError(
            'the process that was measured died, most likely because the machine has '
            'too little memory: take fewer --prompts or a smaller --size'
        ) from error
