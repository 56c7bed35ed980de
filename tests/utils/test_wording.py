"""Lists in messages."""

import re

import pytest

from ovsam.utils.wording import listed, reason_of, to_install


@pytest.mark.parametrize(
    ('items', 'text'),
    [
        ([], 'none'),
        (['a'], 'a'),
        ('abcde', 'a, b, c, d, e'),
        ('abcdef', 'a, b, c, d, e and 1 more'),
        (range(130), '0, 1, 2, 3, 4 and 125 more'),
    ],
)
def test_at_most_five(items, text):
    assert listed(items) == text


def test_the_nearest_come_first():
    assert listed([], near='x') == 'none'
    assert listed(['dog', 'lamp', 'Umbrella'], near='umbrela') == 'Umbrella, lamp, dog'
    paths = [*(f'coco/ovsam_{n}.py' for n in range(6)), 'mini/ovsam_box.py']
    assert listed(paths, near='mni').startswith('mini/ovsam_box.py, ')
    assert listed(paths, near='mni').endswith(' and 2 more')


def test_what_is_equally_near_keeps_its_order():
    assert listed(['b/x', 'a/x', 'c/x'], near='x') == 'b/x, a/x, c/x'


@pytest.mark.parametrize(
    'error, said', [(MemoryError(), 'MemoryError'), (OSError(' a\n b'), 'a b')]
)
def test_reasons_are_one_line(error, said):
    assert reason_of(error) == said


@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('ray.data', r'\(why\): pip install ray, or pip install "\.\[ray\]" in the folder'),
        ('yaml', 'pip install pyyaml, or'),
        (None, r'\(why\): pip install "\.\[ray\]" in'),
    ],
)
def test_what_to_install(name, said):
    assert re.search(said, to_install(ImportError('why', name=name), 'ray'))
