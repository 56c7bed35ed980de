"""Where a GPU would be waited for, and what would lie on another device: on tensors without values.

torch's fake tensors say that they are on a GPU, on machines without one, too. An operator that
needs a value on the host raises, as does one with arguments of two devices.
"""

import copy

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from ovsam.apis import OVSAMPredictor, make_prompts
from ovsam.masks.cleaning import LargeParts
from ovsam.prompts import Prompts

POINTS = make_prompts([[[30.0, 20.0]], [[60, 70]]])
BOTH = make_prompts([[[30.0, 20.0]], [[60, 70]]], boxes=[[20.0, 20, 90, 80], [5, 5, 80, 90]])


class Pretended:
    """Gives what has tensors with fake ones on a GPU in their place."""

    def __init__(self):
        self.mode = FakeTensorMode()

    def __call__(self, tensor):
        fake = self.mode.from_tensor(tensor.detach())
        with self.mode:
            return fake.to('cuda')

    def model(self, model):
        model = copy.deepcopy(model)
        for module in model.modules():
            for name, value in module._parameters.items():
                if value is not None:
                    module._parameters[name] = nn.Parameter(self(value), requires_grad=False)
            for name, value in module._buffers.items():
                if value is not None:
                    module._buffers[name] = self(value)
        return model

    def bank(self, bank):
        bank = copy.copy(bank)
        for name in ('table', 'counts'):
            object.__setattr__(bank, name, self(getattr(bank, name)))
        return bank


@pytest.mark.parametrize(('name', 'precision'), [('mini', 'fp32'), ('photo', 'bf16')])
def test_a_click_waits_for_nothing(name, precision, request):
    """From the image to masks and the likeliest names; what is copied to the host comes after."""
    if name == 'photo':
        request.getfixturevalue('photo_packages')
    predictor = OVSAMPredictor(name, device='cpu', precision=precision)
    pretended = Pretended()
    model = pretended.model(predictor.model)
    # Connected parts are found on the host, and so is who gets a second look.
    model.second_look = None
    model.mask_cleaning = nn.ModuleList(
        step for step in model.mask_cleaning if not isinstance(step, LargeParts)
    )
    side, bank = model.prompt_encoder.image_size, pretended.bank(predictor.bank)
    with pretended.mode, torch.no_grad():
        features = model.encode_image(torch.empty(1, 3, side, side, device='cuda'))
    for given in (POINTS, BOTH):
        prompts = Prompts.of(given.given())._map(pretended)
        with pretended.mode, torch.no_grad():
            regions, _ = model.segment_regions(features, prompts, side)
            best = model.name(model.region_embeddings(features, regions), bank, 5)
        for found in (regions.low_res, best.labels):
            assert found.device.type == 'cuda' and len(found) == len(given)


def test_what_waits_is_found():
    pretended = Pretended()
    some = pretended(torch.ones(3))
    with pretended.mode, pytest.raises(DataDependentOutputException):
        bool(some.any())
    with pretended.mode, pytest.raises(RuntimeError, match='two different devices'):
        some + torch.ones(3)
