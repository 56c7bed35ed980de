"""A module with the interface of ``mmcv._ext`` on torchvision's kernels.

Each operator has the call signature that ``mmcv.ops`` uses; tensors named as
outputs are written in place, as the compiled operators do. Operators that have
no counterpart here exist (mmcv checks for their names at import) and raise
``NotImplementedError`` when called.

Glossary: B images, C channels, N boxes or regions. Boxes are xyxy.
"""

from types import ModuleType
from typing import Callable

import torch
from torch import Tensor
from torchvision.ops import box_iou  # registers torch.ops.torchvision, too

from .deformable import DEFORMABLE_OPERATORS
from .focal_loss import FOCAL_LOSS_OPERATORS

_LOW_PRECISION = (torch.float16, torch.bfloat16)
_AVERAGE = 1


def _full_precision(tensor: Tensor) -> Tensor:
    """Torchvision's kernels lack half types on some devices; compute in float32 there."""
    return tensor.float() if tensor.dtype in _LOW_PRECISION else tensor


def _require_average_pooling(pool_mode: int) -> None:
    if pool_mode != _AVERAGE:
        raise NotImplementedError(
            "RoIAlign with pool_mode='max' needs mmcv's compiled operators, and this "
            "installation has none. Use pool_mode='avg', or install the full mmcv "
            '(pip uninstall mmcv-lite; pip install "mmcv>=2.0,<2.2").'
        )


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 (mmcv's signature)
) -> None:
    """RoIAlign by averaging (``pool_mode`` 1); the maximum (0) is not available.

    ``input`` is ``(B, C, H, W)``; ``rois`` ``(N, 5)``, image index and box, of which
    ``spatial_scale`` makes cells of the input. ``output``, written in place, is ``(N, C,
    aligned_height, aligned_width)``. A ``sampling_ratio`` of 0 or less adapts to the region's size.
    """
    _require_average_pooling(pool_mode)
    pooled = torch.ops.torchvision.roi_align(
        _full_precision(input),
        _full_precision(rois),
        spatial_scale,
        aligned_height,
        aligned_width,
        sampling_ratio,
        aligned,
    )
    output.copy_(pooled)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 (mmcv's signature)
) -> None:
    """Gradient of :func:`roi_align_forward` with respect to its feature map.

    ``grad_output`` is ``(N, C, aligned_height, aligned_width)``; ``grad_input``, of the feature
    map's shape, is written in place. The other arguments are as in the forward pass.
    """
    _require_average_pooling(pool_mode)
    gradient = torch.ops.torchvision._roi_align_backward(
        _full_precision(grad_output),
        _full_precision(rois),
        spatial_scale,
        aligned_height,
        aligned_width,
        *grad_input.shape,
        sampling_ratio,
        aligned,
    )
    grad_input.copy_(gradient)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Indices of ``boxes (N, 4)`` that no better one overlaps by more than a threshold, best first.

    ``scores`` are ``(N,)``; ``offset`` is 0, or 1 where a box's width is ``x2 - x1 + 1``.
    """
    boxes = _with_offset(_full_precision(boxes), offset)
    return torch.ops.torchvision.nms(boxes, scores.to(boxes.dtype), iou_threshold)


def _with_offset(boxes: Tensor, offset: int) -> Tensor:
    """Moves the far corner, which adds the offset to every width, height and overlap alike."""
    return boxes + boxes.new_tensor([0, 0, offset, offset])


def _soft_nms_weights(overlaps: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    """What each score is multiplied by: method 0 drops, 1 is linear, 2 Gaussian."""
    if method == 2:
        return torch.exp(-(overlaps * overlaps) / sigma)
    lowered = torch.zeros_like(overlaps) if method == 0 else 1 - overlaps
    return torch.where(overlaps >= iou_threshold, lowered, torch.ones_like(overlaps))


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Soft non-maximum suppression on the CPU: overlapping boxes lose score.

    Arguments are those of :func:`nms`, and ``method``: 0 drops, 1 is linear, both from the
    threshold on, 2 Gaussian, as wide as ``sigma``. Boxes whose score falls below ``min_score`` are
    dropped. ``dets (N, 5)`` is written in place: kept boxes and their new scores, best first; what
    follows them is undefined.

    Returns:
        Indices of the kept boxes, in the order of ``dets``.
    """
    left, moved = torch.arange(len(boxes)), _with_offset(boxes, offset)
    scores = scores.clone()
    kept: list[Tensor] = []
    while len(left):
        best = int(scores[left].argmax())
        chosen = left[best]
        dets[len(kept), :4] = boxes[chosen]
        dets[len(kept), 4] = scores[chosen]
        kept.append(chosen)
        left = torch.cat([left[:best], left[best + 1 :]])
        overlaps = box_iou(moved[chosen][None], moved[left])[0]
        scores[left] *= _soft_nms_weights(overlaps, iou_threshold, sigma, method)
        left = left[scores[left] >= min_score]
    return torch.stack(kept) if kept else left


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Groups of ``dets (N, 5)``, boxes and scores on the CPU, by the box that suppresses them.

    Each is a list of indices: the kept box, then those that overlap it from the threshold on, by
    falling score.
    """
    left = dets[:, 4].argsort(descending=True)
    groups = []
    while len(left):
        joins = box_iou(dets[left[:1], :4], dets[left, :4])[0] >= iou_threshold
        # A box without area has no overlap even with itself.
        joins[0] = True
        groups.append(left[joins].tolist())
        left = left[~joins]
    return groups


def get_compiler_version() -> str:
    """What stands in environment reports in place of a compiler."""
    return 'not compiled'


_OPERATORS: dict[str, Callable] = {'get_compiling_cuda_version': get_compiler_version} | {
    operator.__name__: operator
    for operator in (
        roi_align_forward,
        roi_align_backward,
        nms,
        softnms,
        nms_match,
        *DEFORMABLE_OPERATORS,
        *FOCAL_LOSS_OPERATORS,
        get_compiler_version,
    )
}


def _missing_operator(name: str) -> Callable:
    def missing(*args, **kwargs):
        raise NotImplementedError(
            f"mmcv's operator '{name}' is compiled code, and this installation of mmcv has none. "
            'Install the full mmcv built for this version of torch '
            '(pip uninstall mmcv-lite; pip install "mmcv>=2.0,<2.2") and run again; '
            'it is used as soon as it is there.'
        )

    missing.__name__ = name
    return missing


class StandInModule(ModuleType):
    """The module that answers as ``mmcv._ext``."""

    def __getattr__(self, name: str) -> Callable:
        """The operator ``name``; one that raises when called if there is none."""
        if name.startswith('_'):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        return _OPERATORS.get(name) or _missing_operator(name)
