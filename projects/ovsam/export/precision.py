"""Graphs in fewer bits. What goes into them and comes out stays float32.

What is kept in float32 beside that, and why:

- The mask decoder in int8: masks are what suffers, and it is small beside the encoder.
- In int8, convolutions that read the image, or each channel by itself (``groups``): their values
  differ so much in range between channels that one scale for all does not fit them.
- RoIAlign in fp16, which has no kernel for it.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from ..utils.wording import to_install

PRECISIONS = ('fp32', 'fp16', 'int8')
# What of int8 is not: a graph, and nodes of others by what is in their names.
FULL_GRAPH, FULL_PARTS = 'decoder', ('/mask_decoder/', '/prompt_encoder/')
COLOURS = 3


def in_precision(onnx: ModuleType, path: Path, precision: str) -> Any:
    """The float32 graph of a file in one of :data:`PRECISIONS`, as the package onnx has it.

    The file is named as of :func:`~.onnx_files.export_onnx`, in a folder of what is not kept.

    Raises:
        ImportError: onnxruntime, which converts, cannot be imported.
        ValueError: There is no such precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f'precision must be one of {", ".join(PRECISIONS)}; got {precision!r}')
    if precision == 'fp16':
        try:
            from onnxruntime.transformers.float16 import convert_float_to_float16
        except ImportError as error:
            raise ImportError(_needs_onnxruntime(error)) from error
        # Of a path, shapes are inferred however large the file is.
        return convert_float_to_float16(str(path), keep_io_types=True)
    if precision == 'int8' and path.stem != FULL_GRAPH:
        path = _quantized(onnx, path)
    return onnx.load(path)


def _quantized(onnx: ModuleType, path: Path) -> Path:
    """Weights in 8 bits; what they are multiplied with is quantised as it comes."""
    try:
        from onnxruntime.quantization import QuantType, quant_pre_process, quantize_dynamic
    except ImportError as error:
        raise ImportError(_needs_onnxruntime(error)) from error
    folded, done = (path.with_name(f'{path.stem}-{step}.onnx') for step in ('folded', 'int8'))
    # Before that, many weights are results of other nodes.
    quant_pre_process(path, folded, skip_symbolic_shape=True, save_as_external_data=True)
    quantize_dynamic(
        folded,
        done,
        op_types_to_quantize=['MatMul', 'Gemm', 'Conv'],
        weight_type=QuantType.QUInt8,  # onnxruntime's CPU has no convolution by signed ones
        nodes_to_exclude=_kept_nodes(onnx, folded),
        use_external_data_format=True,
    )
    return done


def _kept_nodes(onnx: ModuleType, path: Path) -> list[str]:
    graph = onnx.load(path, load_external_data=False).graph
    shapes = {each.name: tuple(each.dims) for each in graph.initializer}
    kept = [node.name for node in graph.node if any(part in node.name for part in FULL_PARTS)]
    for node in graph.node:
        if node.op_type == 'Conv':
            groups = next((each.i for each in node.attribute if each.name == 'group'), 1)
            channels = shapes.get(node.input[1], (0, 0))[1]
            if groups > 1 or channels == COLOURS:
                kept.append(node.name)
    # What onnxruntime makes of a Gemm has another name.
    return [*kept, *(f'{name}_MatMul' for name in kept)]


def _needs_onnxruntime(error: ImportError) -> str:
    return f'an export in less than fp32 needs the package onnxruntime {to_install(error, "onnx")}'
