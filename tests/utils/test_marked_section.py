import pytest

from ovsam.utils.marked_section import insert_section, section_marks

BEGIN, END = section_marks('more')


def test_a_section_takes_the_place_of_the_older_one(tmp_path):
    page = tmp_path / 'results.md'
    other = '<!-- other: begin -->\nHere.\n<!-- other: end -->'
    page.write_text(f'# Results\n\n{other}\n\n{BEGIN}\n{END}\n\nThe end.\n')
    insert_section(page, 'One\n', 'more')
    insert_section(page, 'Two\n', 'more')
    assert page.read_text() == f'# Results\n\n{other}\n\n{BEGIN}\nTwo\n{END}\n\nThe end.\n'
    insert_section(page, '', 'more')
    assert page.read_text() == f'# Results\n\n{other}\n\n{BEGIN}\n{END}\n\nThe end.\n'


@pytest.mark.parametrize('content', ['', BEGIN, f'{END} {BEGIN}'])
def test_a_page_without_place_stays_as_it_was(tmp_path, content):
    page = tmp_path / 'results.md'
    page.write_text(content)
    with pytest.raises(ValueError, match=f"has no place for the section 'more': write {BEGIN}"):
        insert_section(page, 'One\n', 'more')
    assert page.read_text() == content


def test_a_page_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        insert_section(tmp_path / 'nowhere.md', 'One\n', 'more')
