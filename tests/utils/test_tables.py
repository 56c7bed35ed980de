import pytest

from ovsam.utils.tables import compact_table, figure, table


def test_no_rows():
    assert compact_table(['a', 'b'], []) == '| a | b |\n|---|---|'


def test_words_are_on_the_left_and_figures_on_the_right_as_they_were_rounded():
    assert table(['name', 'x'], [['a', '1.10'], ['long', '10.00']]).splitlines() == [
        'name        x',
        'a        1.10',
        'long    10.00',
    ]
    assert table(['a', 'b'], [['x', 'y']], 'pipe', texts=2).splitlines()[1] == '|:----|:----|'
    assert compact_table(['', 'b'], [['x', '']]) == '|  | b |\n|---|---|\n| x |  |'


@pytest.mark.parametrize(
    ('value', 'shown'), [(None, ''), (float('nan'), ''), (0.0, '0.0'), (81.26, '81.3')]
)
def test_a_figure(value, shown):
    assert figure(value) == shown
