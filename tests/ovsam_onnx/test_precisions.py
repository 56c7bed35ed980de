"""Exports in fewer bits are smaller, and find nearly the same."""

import numpy as np
import pytest

from ovsam.export.precision import in_precision


def size(folder):
    return sum(file.stat().st_size for file in folder.glob('*.onnx'))


@pytest.mark.parametrize('precision, smaller', [('fp16', 0.55), ('int8', 0.75)])
def test_smaller_and_nearly_the_same(both, picture, precision, smaller):
    whole, fewer = both('mini'), both('mini', f'--{precision}')
    assert fewer.onnx.model.settings['precision'] == precision
    assert size(fewer.folder) < smaller * size(whole.folder)
    for session in fewer.onnx.model._sessions.values():
        kinds = {each.type for each in (*session.get_inputs(), *session.get_outputs())}
        assert kinds <= {'tensor(float)', 'tensor(int64)', 'tensor(bool)'}
    points = np.random.default_rng(0).uniform(0, 250, (8, 1, 2))
    found = []
    for pair in (whole, fewer):
        pair.onnx.set_image(str(picture))
        found.append(pair.onnx.predict(points))
    expected, found = found
    assert not np.array_equal(found.region_embeddings, expected.region_embeddings)
    assert (found.masks == expected.masks).mean() > 0.98
    assert np.mean([a == b for a, b in zip(found.labels, expected.labels)]) > 0.7


def test_graphs_of_two_precisions_are_not_mixed(both):
    whole, fewer = both('mini'), both('mini', '--int8')
    assert whole.onnx.model.settings['fingerprint'] != fewer.onnx.model.settings['fingerprint']


def test_no_such_precision(tmp_path):
    with pytest.raises(ValueError, match="fp32, fp16, int8; got 'int4'"):
        in_precision(None, tmp_path, 'int4')
