"""Images of folders and lists: all of them, each once, always in the same order."""

import tracemalloc

import pytest

from ovsam.bulk import ImageSource


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    for name in (
        'b.png',
        'a.JPG',
        'notes.txt',
        '.hidden.png',
        'sub/a.png',
        'sub/deep/c.webp',
        '.cache/d.png',
        '._a.JPG',
        'sub/._a.png',
        '__MACOSX/a.png',
        'sub/x.jpg/y.png',
        'Thumbs.db',
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b'')
    return folder


def test_nothing(tmp_path):
    with pytest.raises(FileNotFoundError, match='no folder or list of images'):
        ImageSource(tmp_path / 'none')
    with pytest.raises(ValueError, match='has no images'):
        ImageSource(tmp_path).check()
    (tmp_path / 'list.txt').write_text('\n')
    with pytest.raises(ValueError, match='list.txt is empty'):
        ImageSource(tmp_path / 'list.txt').check()


def test_folders_of_a_folder(photos):
    source = ImageSource(photos)
    source.check()
    assert list(source) == ['a.JPG', 'b.png', 'sub/a.png', 'sub/deep/c.webp', 'sub/x.jpg/y.png']
    assert source.root == photos


def test_links(photos, tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere' / 'e.png').touch()
    (photos / 'link').symlink_to(tmp_path / 'elsewhere')
    (photos / 'sub' / 'up').symlink_to(photos)
    (photos / 'broken.png').symlink_to(tmp_path / 'none.png')
    assert list(ImageSource(photos)) == [
        'a.JPG',
        'b.png',
        'broken.png',
        'link/e.png',
        'sub/a.png',
        'sub/deep/c.webp',
        'sub/x.jpg/y.png',
    ]


def test_a_list(photos):
    path = photos / 'list.txt'
    path.write_bytes('sub/a.png\r\n\nb.png\n./sub//a.png\n/x/ü ü.png\nb.png\nb.png '.encode())
    source = ImageSource(path)
    source.check()
    assert list(source) == ['sub/a.png', 'b.png', '/x/ü ü.png', 'b.png '] == list(source)
    assert source.repeats == 2 and source.root == photos


def test_names_that_are_not_utf8(photos):
    (photos / 'list.txt').write_bytes(b'b.png\n\xff.png\n')
    name = list(ImageSource(photos / 'list.txt'))[1]
    assert (photos / name).name.encode('utf-8', 'surrogateescape') == b'\xff.png'


def test_names_of_one_number_are_compared(photos, monkeypatch):
    monkeypatch.setattr('ovsam.bulk.image_source._number', lambda name: 7)
    (photos / 'list.txt').write_text('a.JPG\nb.png\na.JPG\n')
    source = ImageSource(photos / 'list.txt')
    assert list(source) == ['a.JPG', 'b.png'] and source.repeats == 1


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('a.png', b'x', 'is a picture'),
        ('list.txt', b'x.png\ny.png\n', 'no file is at x.png, nor at any of its first 2 lines; r'),
        ('list.txt', b'a.png\0', 'it has zero bytes'),
    ],
)
def test_no_list(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        ImageSource(tmp_path / name).check()


def test_memory_of_a_long_list(tmp_path):
    """Far less than the names themselves would take, about 150 bytes each as strings in a set."""
    path = tmp_path / 'list.txt'
    path.write_text(''.join(f'folder/of/some/length/{number:09}.jpg\n' for number in range(30_000)))
    source = ImageSource(path)
    tracemalloc.start()
    try:
        assert sum(1 for _ in source) == 30_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50 * 30_000
