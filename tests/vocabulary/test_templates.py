import pytest

from ovsam.vocabulary.templates import TEMPLATES, fill_template, get_templates


def test_no_templates():
    with pytest.raises(ValueError, match='at least one'):
        get_templates([])


def test_bad_templates():
    with pytest.raises(ValueError, match='simple'):
        get_templates('fancy')
    with pytest.raises(ValueError, match='no {} or {a}'):
        get_templates(['a photo'])


@pytest.mark.parametrize('name', sorted(TEMPLATES))
def test_every_template_holds_the_name_and_reads_differently(name):
    sentences = [fill_template(template, 'apple') for template in get_templates(name)]
    assert all('apple' in s and '{' not in s for s in sentences)
    assert len(set(sentences)) == len(sentences)


def test_articles():
    assert fill_template('{a} and the {}', 'Apple') == 'an Apple and the Apple'
    assert fill_template('{a} and the {}', 'car') == 'a car and the car'


def test_braces_of_a_name_stay():
    assert fill_template('the {}, {a}', 'x{a}{}') == 'the x{a}{}, a x{a}{}'
