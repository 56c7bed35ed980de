"""What was used last is kept."""

import pytest

from ovsam.serving.bounded_cache import BoundedCache


def test_the_longest_unused_goes():
    cache = BoundedCache(2)
    assert cache.get('a') is None and len(cache) == 0
    cache.put('a', 1)
    cache.put('b', 2)
    assert cache.get('a') == 1
    cache.put('c', 3)
    assert (cache.get('a'), cache.get('b'), cache.get('c'), len(cache)) == (1, None, 3, 2)
    cache.put('c', 4)
    assert cache.get('c') == 4 and len(cache) == 2


def test_it_keeps_something():
    with pytest.raises(ValueError, match='at least one'):
        BoundedCache(0)
