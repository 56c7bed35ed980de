"""The sessions of an export."""

import pytest


@pytest.mark.parametrize('told, threads', [('3', 3), ('2,1', 2), ('', 0), ('many', 0)])
def test_threads_are_those_that_torch_would_have(both, monkeypatch, told, threads):
    monkeypatch.setenv('OMP_NUM_THREADS', told)
    session = both('mini').onnx.model._session('decoder', ['CPUExecutionProvider'])
    assert session.get_session_options().intra_op_num_threads == threads
