"""Deformable attention and convolutions with the call signatures of ``mmcv._ext``.

Convolutions have no gradient here: detectors that use them run, but do not train. Arguments without
a word in a docstring play no part: they are the compiled operators' buffers, or follow from others.

Glossary: B images, C channels, O output channels, k kernel cells, g groups of offsets.
"""

import torch
from torch import Tensor
from torchvision.ops import deform_conv2d


def _deformable_attention(
    value: Tensor, spatial_shapes: Tensor, sampling_locations: Tensor, attention_weights: Tensor
) -> Tensor:
    # mmcv's own formula, which it keeps for the CPU; mmcv imports this module, so not at the top.
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    return multi_scale_deformable_attn_pytorch(
        value, spatial_shapes, sampling_locations, attention_weights
    )


def ms_deform_attn_forward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Multi-scale deformable attention, which mmcv computes itself on the CPU only.

    ``value`` is ``(B, keys, heads, C / heads)``; ``spatial_shapes`` ``(levels, 2)``, height and
    width; ``sampling_locations`` ``(B, queries, heads, levels, points, 2)``, x before y, in [0, 1];
    ``attention_weights`` ``(B, queries, heads, levels, points)``; the result ``(B, queries, C)``.
    """
    return _deformable_attention(value, spatial_shapes, sampling_locations, attention_weights)


def ms_deform_attn_backward(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int,
) -> None:
    """Gradients of :func:`ms_deform_attn_forward`, written in place.

    ``grad_output`` is ``(B, queries, C)``; ``grad_value``, ``grad_sampling_loc`` and
    ``grad_attn_weight`` have the shapes of their inputs, which are as in the forward pass.
    """
    with torch.enable_grad():
        inputs = [
            tensor.detach().requires_grad_()
            for tensor in (value, sampling_locations, attention_weights)
        ]
        output = _deformable_attention(inputs[0], spatial_shapes, *inputs[1:])
        gradients = torch.autograd.grad(output, inputs, grad_output)
    for target, gradient in zip((grad_value, grad_sampling_loc, grad_attn_weight), gradients):
        target.copy_(gradient)


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
    with_bias: bool,  # noqa: FBT001 (mmcv's signature)
) -> None:
    """Deformable convolution, second version.

    ``input`` is ``(B, C, H, W)``; ``weight`` ``(O, C / group, kernel_h, kernel_w)``; ``bias``
    ``(O,)``, read if ``with_bias``; ``offset`` ``(B, 2 g k, h, w)``, y before x, in pixels of
    ``input``; ``mask`` ``(B, g k, h, w)``, what each sample counts. ``output`` ``(B, O, h, w)`` is
    written in place. Strides, padding and dilation are in rows (``h``) and columns (``w``).
    """
    size = output.shape[-2:]
    output.copy_(
        deform_conv2d(
            input,
            _first_values(offset, size),
            weight,
            bias if with_bias else None,
            stride=(stride_h, stride_w),
            padding=(pad_h, pad_w),
            dilation=(dilation_h, dilation_w),
            mask=_first_values(mask, size),
        )
    )


def _first_values(maps: Tensor, size: torch.Size) -> Tensor:
    """Maps ``(B, channels, h, w)`` of a size, out of the first values of larger ones.

    The compiled operator does not look at the size of offsets and masks, but reads as many values
    as it needs. mmdet's DyHead gives those of a finer level, and was trained so.
    """
    if maps.shape[-2:] == size:
        return maps
    batch, channels = maps.shape[:2]
    return maps.flatten(1)[:, : channels * size.numel()].reshape(batch, channels, *size)


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    kW: int,  # noqa: N803  (mmcv's names)
    kH: int,  # noqa: N803
    dW: int,  # noqa: N803
    dH: int,  # noqa: N803
    padW: int,  # noqa: N803
    padH: int,  # noqa: N803
    dilationW: int,  # noqa: N803
    dilationH: int,  # noqa: N803
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> None:
    """Deformable convolution, first version: without masks.

    Arguments are those of :func:`modulated_deform_conv_forward` by other names, with ``W`` for
    columns and ``H`` for rows: ``d`` of the stride. ``output`` is written in place.
    """
    output.copy_(
        deform_conv2d(
            input,
            offset,
            weight,
            stride=(dH, dW),
            padding=(padH, padW),
            dilation=(dilationH, dilationW),
        )
    )


DEFORMABLE_OPERATORS = (
    ms_deform_attn_forward,
    ms_deform_attn_backward,
    modulated_deform_conv_forward,
    deform_conv_forward,
)
