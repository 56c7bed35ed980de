"""Writes the graphs of a model, and beside them what else there is to know of it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ovsam_onnx.graphs import FORMAT

from ..segmenters.ovsam import OVSAM
from ..utils.digest import fingerprint
from ..utils.files import write_json
from ..utils.wording import to_install
from .graphs import Traced, decode, embed_crops, embed_regions, encode, flat_features, zoom
from .precision import in_precision
from .settings import model_settings

OPSET = 18  # Resize that averages, RoiAlign by half pixels
TOKENS = {name: {0: 'prompts', 1: 'tokens'} for name in ('coords', 'labels')}
# A protobuf file ends at 2 GB; what is larger has its weights in NAME.onnx.data beside it.
LARGEST_FILE = 1_800_000_000


class Graph(NamedTuple):
    """What is traced to make a file.

    Attributes:
        function: Of :mod:`~.graphs`, but for its model.
        inputs: Examples by name, in the order of its arguments.
        outputs: Names.
        rows: The axes of inputs and outputs whose length may differ, as torch has them.
    """

    function: Callable[..., Any]
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    rows: Mapping[str, Mapping[int, str]]


@torch.no_grad()
def export_onnx(model: nn.Module, folder: str | Path, precision: str = 'fp32') -> dict[str, Any]:
    """Write ``encoder.onnx``, ``decoder.onnx``, ``regions.onnx`` and ``model.json``.

    A model with a second look has ``crops.onnx`` as well, one with a zoomed pass ``zoomed.onnx``.

    Args:
        model: An :class:`~ovsam.segmenters.OVSAM` with its weights, on the CPU, in float32 and
            eval mode.
        folder: Where; it is made if need be.
        precision: Of weights and what is computed: ``'fp32'``, ``'fp16'`` or ``'int8'``; see
            :mod:`~.precision`.

    Returns:
        What is in ``model.json``.

    Raises:
        ImportError: The package onnx, or onnxruntime where it is needed, cannot be imported.
        ValueError: The model, or one of its parts, cannot be exported; the message names it. Or
            there is no such precision.
    """
    onnx, settings = require_onnx(), {**model_settings(model), 'precision': precision}
    assert isinstance(model, OVSAM)  # settings are of none else
    identity = fingerprint(settings, model.state_dict())
    settings = {'format': FORMAT, 'fingerprint': identity, **settings}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    side = settings['image']['size']
    image = torch.zeros(1, 3, side, side)
    features = model.encode_image(image)
    counts = len(features.levels), len(features.pyramid)
    names = ['embedding', *(f'level{place}' for place in range(counts[0]))]
    names += [f'pyramid{place}' for place in range(counts[1])]
    flat = dict(zip(names, flat_features(features)))
    graphs = {
        'decoder': _decoder(partial(decode, counts=counts), settings, flat),
        'regions': _regions(partial(embed_regions, counts=counts), settings, flat),
    }
    if model.second_look is not None:
        graphs['crops'] = _regions(embed_crops, settings, {'image': image})
    if model.zoomed_pass is not None:
        graphs['zoomed'] = _zoomed(settings, image)
    write = partial(_write, onnx, model, folder, identity, precision)
    read = set().union(*(write(name, graph) for name, graph in graphs.items()))
    # The encoder gives what the others read.
    chosen = [place for place, name in enumerate(names) if name in read]
    outputs = [names[place] for place in chosen]
    write('encoder', Graph(partial(encode, chosen=chosen), dict(image=image), outputs, {}))
    for name in {'crops', 'zoomed'} - set(graphs):  # of a model that was exported here before
        for file in (f'{name}.onnx', f'{name}.onnx.data'):
            (folder / file).unlink(missing_ok=True)
    write_json(folder / 'model.json', settings, indent=1)
    return settings


def require_onnx() -> ModuleType:
    """The package onnx.

    Raises:
        ImportError: It cannot be imported.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            f'an export needs the package onnx {to_install(error, "onnx")}'
        ) from error
    return onnx


def _decoder(function: Callable, settings: Mapping, flat: Mapping[str, Tensor]) -> Graph:
    low = settings['masks']['size']
    inputs = dict(
        _prompts(settings),
        mask_input=torch.zeros(2, 1, low, low),
        has_mask=torch.tensor([True, False]),
    )
    outputs = ['masks', *(['quality'] if settings['masks']['quality'] else [])]
    rows = {name: {0: 'prompts'} for name in ('mask_input', 'has_mask', *outputs)}
    return Graph(function, {**inputs, **flat}, outputs, rows | TOKENS)


def _zoomed(settings: Mapping, image: Tensor) -> Graph:
    inputs = dict(_prompts(settings), masks=_masks(settings), image=image)
    outputs, rows = ['zoomed_masks', 'embeddings'], {'masks': {0: 'prompts'}}
    if settings['masks']['quality']:
        inputs['quality'], rows['quality'] = torch.ones(2), {0: 'prompts'}
        outputs.append('zoomed_quality')
    rows |= {name: {0: 'prompts'} for name in outputs}
    return Graph(zoom, inputs, outputs, rows | TOKENS)


def _prompts(settings: Mapping) -> dict[str, Tensor]:
    """A box and a point."""
    coords = torch.stack([_box(settings).reshape(2, 2), torch.zeros(2, 2)])
    return dict(coords=coords, labels=torch.tensor([[2, 3], [1, -1]]))


def _regions(function: Callable, settings: Mapping, flat: Mapping[str, Tensor]) -> Graph:
    inputs = dict(masks=_masks(settings), boxes=torch.stack([_box(settings), torch.zeros(4)]))
    rows = {name: {0: 'regions'} for name in (*inputs, 'embeddings')}
    return Graph(function, {**inputs, **flat}, ['embeddings'], rows)


def _masks(settings: Mapping) -> Tensor:
    """Two, the half above zero and the half below."""
    low = settings['masks']['size']
    return torch.linspace(-1, 1, 2 * low * low).reshape(2, low, low)


def _box(settings: Mapping) -> Tensor:
    return settings['image']['size'] * torch.tensor([0.25, 0.25, 0.75, 0.75])


def _write(
    onnx: ModuleType,
    model: OVSAM,
    folder: Path,
    identity: str,
    precision: str,
    name: str,
    graph: Graph,
) -> set[str]:
    """Write a graph, which carries the model's identity; the names of the inputs that it reads."""
    with tempfile.TemporaryDirectory(dir=folder) as passing, warnings.catch_warnings():
        # Of values that are constants in a trace: tests compare numbers for other inputs.
        warnings.simplefilter('ignore')
        traced = Path(passing) / f'{name}.onnx'
        _trace(model, graph, traced)
        made = in_precision(onnx, traced, precision)
    read = {each for node in made.graph.node for each in node.input}
    used = [each for each in made.graph.input if each.name in read]
    del made.graph.input[:]
    made.graph.input.extend(used)
    onnx.helper.set_model_props(made, {'ovsam': identity})
    path = folder / f'{name}.onnx'
    weights = folder / f'{name}.onnx.data'
    weights.unlink(missing_ok=True)
    large = made.ByteSize() > LARGEST_FILE
    onnx.save(made, path, save_as_external_data=large, location=weights.name)
    return read


def _trace(model: OVSAM, graph: Graph, path: Path) -> None:
    with without_fast_attention():
        torch.onnx.export(
            Traced(model, graph.function).eval(),
            tuple(graph.inputs.values()),
            str(path),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=graph.rows,
            opset_version=OPSET,
            dynamo=False,
        )


@contextmanager
def without_fast_attention() -> Iterator[None]:
    """A block in which torch's attention is made of plain operators, which ONNX knows."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # noqa: FBT003 (takes no keywords)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
