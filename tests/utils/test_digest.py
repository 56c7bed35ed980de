import hashlib

import pytest
import torch

from ovsam.utils.digest import file_digest, fingerprint


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


@pytest.mark.parametrize('content', [b'', b'abc', b'x' * (2 << 20) + b'y'])
def test_it_is_the_sha256_of_all_of_a_file(tmp_path, content):
    path = tmp_path / 'file'
    path.write_bytes(content)
    assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / 'none')
