"""Which files are pictures, and their order."""

import pytest

from ovsam.utils.image_walk import is_picture, order_key, walk_images


def names(root, patterns=()):
    return [
        f'{folder.name}/{file}' if folder.name else file
        for folder in walk_images(root, patterns)
        for file in folder.files
    ]


def test_nothing(tmp_path):
    assert names(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        names(tmp_path / 'none')


@pytest.mark.parametrize(
    'name, expected',
    [
        ('', False),
        ('a.png', True),
        ('a.JPeG', True),
        ('a.jfif', True),
        ('a.avif', True),
        ('a.JP2', True),
        ('a.txt', False),
        ('png', False),
        ('.a.png', False),
        ('._a.png', False),
        ('.DS_Store', False),
        ('Thumbs.db', False),
    ],
)
def test_what_is_a_picture(name, expected):
    assert is_picture(name) is expected


def test_patterns_do_not_make_pictures_of_hidden_files():
    assert is_picture('sa_1.jpg', ['sa_*.jpg']) and not is_picture('b.jpg', ['sa_*.jpg'])
    assert not is_picture('._sa_1.jpg', ['*.jpg']) and not is_picture('Thumbs.db', ['*'])


def test_folders_of_a_folder(tmp_path):
    wanted = ['a9.JPG', 'a10.png', 'sub/a.png', 'sub/deep/c.webp', 'sub2/a.png', 'sub10/a.png']
    for name in (*wanted, 'notes.txt', '.cache/d.png', '__MACOSX/._a.png', '__MACOSX/b.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names(tmp_path) == wanted
    assert sorted(set(wanted), key=order_key) == wanted
    assert names(tmp_path, ['*.png']) == [name for name in wanted if name.endswith('.png')]


def test_links(tmp_path):
    root, elsewhere = tmp_path / 'photos', tmp_path / 'elsewhere'
    for folder in (root, elsewhere):
        folder.mkdir()
    (elsewhere / 'e.png').touch()
    (root / 'link').symlink_to(elsewhere)
    (root / 'up').symlink_to(root)
    (root / 'broken.png').symlink_to(tmp_path / 'none.png')
    assert names(root) == ['broken.png', 'link/e.png']


def test_equal_numbers_have_one_order():
    for given in (['a1', 'a01', 'a001'], ['a001', 'a01', 'a1']):
        assert sorted(given, key=order_key) == ['a001', 'a01', 'a1']
