"""Flags that several commands have."""

import argparse

import pytest

from ovsam.apis import DetectorBoxes
from ovsam.apis.flags import (
    add_detector_flags,
    add_model_flags,
    check_detector_flags,
    detector_of,
)


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_detector_flags(parser)
    return parser.parse_args(map(str, arguments))


def test_no_detector():
    args = parse()
    check_detector_flags(args)
    assert detector_of(args, 'cpu') is None


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--detector-weights', 'x.pth'], 'weights is of no detector: give its config by'),
        (['--detector-threshold', '0'], 'threshold is of no detector: give its config by'),
        (
            ['--detector', 'x.py', '--detector-threshold', '1.5'],
            r'--detector-threshold must be in \[0, 1\]; got 1.5',
        ),
    ],
)
def test_what_does_not_go_together(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_detector_flags(parse(*arguments))


def test_a_detector(tiny_detector):
    config, weights = tiny_detector
    args = parse('--detector', config, '--detector-weights', weights, '--detector-threshold', 0.2)
    check_detector_flags(args)
    assert detector_of(args, 'cpu').fingerprint(None) == DetectorBoxes(
        config, weights, 0.2, 'cpu'
    ).fingerprint(None)


def test_model_flags():
    parser = argparse.ArgumentParser()
    add_model_flags(parser, '', 'mini')
    args = parser.parse_args([])
    assert (args.model, args.weights, args.vocabulary, args.device) == ('mini', None, None, None)
    assert parser.parse_args(['--config', 'a.py']).model == 'a.py'
