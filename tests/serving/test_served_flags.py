"""Flags that all servers have."""

import argparse

import pytest

from ovsam.serving.served_flags import add_server_flags, check_server_flags


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add_server_flags(parser, 7860, '', 'what people must enter')
    return parser


def test_nothing_is_given(parser):
    args = parser.parse_args([])
    check_server_flags(args)
    assert (args.model, args.onnx, args.weights, args.device) == (None, None, None, None)
    assert (args.host, args.port, args.points_per_side) == ('127.0.0.1', 7860, None)


@pytest.mark.parametrize(
    'flag', ['--max-megabytes', '--max-megapixels', '--points-per-side', '--port']
)
def test_limits_of_a_server_must_be_positive(parser, flag):
    with pytest.raises(ValueError, match=f'{flag} must be positive; got 0'):
        check_server_flags(parser.parse_args([flag, '0']), 'port')


def test_an_export_is_a_whole_model(parser):
    args = parser.parse_args(['--onnx', 'folder', '--weights', 'a.pth', '--device', 'cpu'])
    with pytest.raises(ValueError, match='leave out --weights and --device'):
        check_server_flags(args)
