"""Lists in messages."""

from ovsam.utils.wording import first_few


def test_at_most_five():
    assert first_few([]) == ''
    assert first_few([1, 'b']) == '1, b'
    assert first_few('abcde', '; ') == 'a; b; c; d; e'
    assert first_few('abcdefg') == 'a, b, c, d, e and 2 more'
