"""Banks of text embeddings: found again, put together, never believed when damaged."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ovsam.naming import text_cache
from ovsam.naming.text_cache import TextEmbeddingCache


def rows(*texts):
    return {text: torch.full((4,), float(ord(text[0]))) for text in texts}


@pytest.fixture
def banks(tmp_path):
    return TextEmbeddingCache(tmp_path).banks('clip', ['{}'])


def files(banks):
    return sorted(banks.folder.glob('*'))


def test_nothing_there(banks):
    assert banks.read(['a']) == {}
    assert banks.read([]) == {}
    assert not banks.folder.exists()


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_CACHE', str(tmp_path / 'own'))
    TextEmbeddingCache().banks('clip', ['{}']).write(rows('a'))
    assert [path.suffix for path in (tmp_path / 'own').rglob('*.*')] == ['.safetensors']


def test_small_banks_are_put_together(banks, monkeypatch):
    monkeypatch.setattr(text_cache, 'BANK_SIZE', 3)
    for texts in ('a', 'b', 'cde', 'f'):
        banks.write(rows(*texts))
    sizes = sorted(len(load_file(path)['embeddings']) for path in files(banks))
    # a and b in one, c to e by themselves, f with a and b.
    assert sizes == [3, 3]
    found = banks.read('abcdefg')
    assert sorted(found) == list('abcdef')
    assert all(torch.equal(found[text], rows(text)[text]) for text in found)
    banks.write(rows('g'))
    assert len(files(banks)) == 3


def test_writing_again_adds_nothing(banks):
    banks.write(rows('a', 'b'))
    before = files(banks)
    banks.write(rows('a', 'b'))
    assert files(banks) == before
    assert load_file(before[0])['embeddings'].shape == (2, 4)


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def other_identity(path):
    save_file(load_file(path), path, {'format': text_cache.FORMAT, 'encoder': 'other'})


def texts_of_no_list(path):
    with safe_open(path, 'np') as bank:
        metadata = bank.metadata()
    save_file(load_file(path), path, {**metadata, 'texts': '5'})


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), 'not the bank'),
        (lambda path: path.write_bytes(b''), 'not the bank'),
        (lambda path: path.write_bytes(b'{"names": []}' * 9), 'not the bank'),
        (flip_a_bit, 'checksum'),
        (other_identity, 'its encoder is not'),
        (lambda path: save_file(load_file(path), path), 'its format is not'),
        (texts_of_no_list, 'not the bank'),
    ],
    ids=['truncated', 'empty', 'foreign', 'bit', 'other encoder', 'no metadata', 'no list'],
)
def test_damaged_banks_are_removed_and_made_again(banks, damage, message):
    banks.write(rows('a', 'b'))
    (path,) = files(banks)
    damage(path)
    with pytest.warns(UserWarning, match=message):
        assert banks.read(['a']) == {}
    assert not files(banks)
    banks.write(rows('a', 'b'))
    assert torch.equal(banks.read(['a'])['a'], rows('a')['a'])


def test_a_damaged_small_bank_is_not_put_together(banks):
    banks.write(rows('a'))
    flip_a_bit(*files(banks))
    with pytest.warns(UserWarning, match='checksum'):
        banks.write(rows('b'))
    assert sorted(banks.read('ab')) == ['b']


def test_a_bank_of_other_templates_is_not_taken(tmp_path, banks):
    other = TextEmbeddingCache(tmp_path).banks('clip', ['a {}'])
    other.write(rows('a'))
    banks.folder.mkdir()
    files(other)[0].rename(banks.folder / 'moved.safetensors')
    with pytest.warns(UserWarning, match='its templates is not'):
        assert banks.read(['a']) == {}


def test_what_cannot_be_written_is_only_a_warning(tmp_path):
    (tmp_path / 'file').write_text('in the way')
    with pytest.warns(UserWarning, match='set OVSAM_CACHE'):
        TextEmbeddingCache(tmp_path / 'file').banks('clip', ['{}']).write(rows('a'))


def write_one(folder, text):
    TextEmbeddingCache(folder).banks('clip', ['{}']).write(rows(text))


def write_often(folder, text):
    for number in range(40):
        write_one(folder, f'{text}{number}')
    write_one(folder, text)


@pytest.mark.parametrize('kind', ['threads', 'processes'])
def test_writers_at_the_same_time(tmp_path, banks, kind):
    texts = 'abcdefgh'
    if kind == 'threads':
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda text: write_one(tmp_path, text), texts))
    else:
        workers = [
            multiprocessing.get_context('fork').Process(target=write_often, args=(tmp_path, text))
            for text in texts[:3]
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
    # One may put away what another has just written; what is there is right, and nothing is left
    # half-written.
    found = banks.read(texts)
    assert found and all(torch.equal(row, rows(text)[text]) for text, row in found.items())
    assert all(path.suffix == '.safetensors' for path in files(banks))
