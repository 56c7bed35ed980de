import hashlib

import pytest
import torch

from ovsam.utils import digest
from ovsam.utils.digest import file_digest, fingerprint, weights_fingerprint


def test_nothing():
    assert fingerprint(None) == hashlib.sha256(b'').hexdigest() == fingerprint(None, {})


def test_settings_are_told_apart_and_their_order_plays_no_part():
    assert fingerprint({'a': 1, 'b': [2]}) == fingerprint({'b': (2,), 'a': 1})
    settings = [None, '', 0, False, [], {}, {'a': 1}, {'a': '1'}, int]
    assert len(set(map(fingerprint, settings))) == len(settings)
    # Stores of teacher features and text caches are known by it: a change makes them foreign.
    assert fingerprint({'b': 1, 'a': 'x'}) == hashlib.sha256(b'{"a": "x", "b": 1}').hexdigest()


def test_tensors_are_told_apart_by_name_type_shape_and_value():
    one = torch.arange(4.0).reshape(2, 2)
    others = [{}, {'b': one}, {'a': one.double()}, {'a': one.ravel()}, {'a': one.T}, {'a': one + 1}]
    sums = [fingerprint(None, each) for each in [{'a': one}, *others]]
    assert len({*sums, fingerprint('x', {'a': one})}) == len(sums) + 1
    assert fingerprint(None, {'b': one, 'a': one}) == fingerprint(None, {'a': one, 'b': one})


def in_place(module):
    with torch.no_grad():
        module.weight[0, 0] += 1


def with_inference_mode(module):
    with torch.inference_mode():
        module.weight.mul_(2)


@pytest.mark.parametrize(
    'change',
    [
        in_place,
        with_inference_mode,
        lambda module: module.load_state_dict({'weight': torch.ones(3, 3)}, strict=False),
        lambda module: module.load_state_dict(
            {'weight': torch.ones(3, 3)}, strict=False, assign=True
        ),
        lambda module: module.half(),
        lambda module: module.half().float(),
        lambda module: module.to('meta').to_empty(device='cpu'),
        lambda module: setattr(module, 'weight', torch.nn.Parameter(torch.ones(3, 3))),
        lambda module: module.count.add_(1),
        lambda module: module.register_buffer('another', torch.ones(1)),
    ],
)
def test_weights_are_digested_again_only_when_they_change(change, monkeypatch):
    module = torch.nn.Linear(3, 3, bias=False).requires_grad_(False)
    module.register_buffer('count', torch.zeros(2))
    before = weights_fingerprint(module, {'a': 1})
    assert before == fingerprint({'a': 1}, module.state_dict())
    with monkeypatch.context() as patch:
        patch.setattr(digest, 'fingerprint', None)
        assert weights_fingerprint(module, {'a': 1}) == before
    change(module)
    assert weights_fingerprint(module, {'a': 1}) == fingerprint({'a': 1}, module.state_dict())
    assert weights_fingerprint(module, {'a': 2}) == fingerprint({'a': 2}, module.state_dict())


def test_weights_that_count_no_changes():
    with torch.inference_mode():
        module = torch.nn.Linear(3, 3)
        before = weights_fingerprint(module, None)
        module.weight.mul_(2)
        assert weights_fingerprint(module, None) != before


def test_weights_that_are_trained_may_change_unnoticed():
    module = torch.nn.Linear(3, 3)
    before = weights_fingerprint(module, None)
    module.weight.data.copy_(torch.ones(3, 3))  # as mmengine's average of weights does
    assert weights_fingerprint(module, None) == fingerprint(None, module.state_dict()) != before


@pytest.mark.parametrize('content', [b'', b'abc', b'x' * (2 << 20) + b'y'])
def test_it_is_the_sha256_of_all_of_a_file(tmp_path, content):
    path = tmp_path / 'file'
    path.write_bytes(content)
    assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / 'none')
