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


def test_memory_is_bounded_too_but_one_value_stays():
    cache = BoundedCache(9, most_bytes=10, nbytes=len)
    cache.put('a', b'aaaa')
    cache.put('b', b'bbbb')
    cache.put('a', b'aaaaa')
    assert cache.nbytes == 9 and len(cache) == 2
    cache.put('c', b'cc')
    assert cache.get('b') is None and cache.nbytes == 7
    cache.put('d', bytes(99))
    assert cache.get('d') == bytes(99) and (len(cache), cache.nbytes) == (1, 99)
    cache.pop('d')
    cache.pop('d')
    assert (len(cache), cache.nbytes) == (0, 0)
