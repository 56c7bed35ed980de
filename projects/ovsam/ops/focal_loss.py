"""The focal loss with the call signatures of ``mmcv._ext``, of which mmdet asks on GPUs only.

Glossary: N samples, C classes; target C is background. Source: Lin et al., "Focal Loss for Dense
Object Detection", equation 5.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss


def _focal_loss(
    input: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float
) -> Tensor:
    is_class = F.one_hot(target, input.shape[1] + 1)[:, :-1].to(input)
    loss = sigmoid_focal_loss(input, is_class, alpha, gamma)
    if not weight.numel():
        return loss
    return loss * F.pad(weight, (0, 1), value=1.0)[target][:, None]


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    """Focal loss of logits ``input (N, C)`` for labels ``target (N,)`` in [0, C].

    ``output (N, C)`` is written in place; ``weight`` is ``(C,)`` of the classes, or empty.
    """
    output.copy_(_focal_loss(input, target, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Gradient of the sum of :func:`sigmoid_focal_loss_forward`, written to ``grad_input (N, C)``.

    The other arguments are as in the forward pass.
    """
    with torch.enable_grad():
        logits = input.detach().requires_grad_()
        loss = _focal_loss(logits, target, weight, gamma, alpha).sum()
    grad_input.copy_(torch.autograd.grad(loss, logits)[0])


FOCAL_LOSS_OPERATORS = (sigmoid_focal_loss_forward, sigmoid_focal_loss_backward)
