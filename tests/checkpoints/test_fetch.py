"""From an index to converted files: what is there, what is damaged, another host, the disk."""

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ovsam.checkpoints.download import DamagedFileError
from ovsam.checkpoints.fetch import WeightStore
from ovsam.checkpoints.model_index import PublishedFile, read_model_index

OPENAI = 'https://openaipublic.azureedge.net/clip/models/RN50.pt'
HUB = 'https://huggingface.co/timm/resnet50_clip.openai/resolve/main/open_clip_model.safetensors'


@pytest.fixture
def site(server, monkeypatch):
    """The server in place of the hub and, below /openai, of the other host."""
    monkeypatch.setenv('HF_ENDPOINT', server.address)
    monkeypatch.setenv('OVSAM_MIRROR', f'{server.address}/openai')
    monkeypatch.setattr('ovsam.checkpoints.fetch.find_cached', lambda name: None)
    server.files['/'] = b''  # so that any other path is 404
    return server


@pytest.fixture
def store(tmp_path):
    return WeightStore(tmp_path / 'weights')


@pytest.fixture
def clip(save_published, published, tmp_path, site):
    """CLIP at OpenAI's host with its checksum, and at the hub without one."""
    content = save_published('clip').read_bytes()
    save_file(
        {key: value.contiguous() for key, value in published['clip'].items()},
        tmp_path / 'clip.safetensors',
    )
    site.files['/openai/clip/models/RN50.pt'] = content
    site.files[HUB.removeprefix('https://huggingface.co')] = (
        tmp_path / 'clip.safetensors'
    ).read_bytes()
    facts = dict(
        name='clip',
        collection='CLIP',
        licence='MIT',
        converted='clip.pth',
        converted_size=len(content),
        parts=('clip',),
        open_clip='open_clip://RN50/openai',
    )
    return PublishedFile(
        url=OPENAI,
        file='RN50.pt',
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        **facts,
        fallback=PublishedFile(url=HUB, file='RN50.safetensors', size=None, sha256=None, **facts),
    )


def provided(store, *files, **options):
    return [source for _, source, _ in store.provide('clip', files, **options)]


def test_nothing_to_provide(store, capsys):
    assert provided(store) == [] and not store.folder.exists()
    assert capsys.readouterr() == ('', '')


def test_says_what_it_takes_and_does_it_once(store, clip, site, capsys):
    assert provided(store, clip) == [store.place_of(clip)]
    said = capsys.readouterr()
    size = f'{clip.size / 1e6:.1f} MB'
    assert (
        f'clip: {size} to fetch in 1 files, {2 * clip.size / 1e6:.1f} MB of disk in {store.folder}'
    ) in said.err and 'Licences: CLIP: MIT' in said.err
    assert said.out == '' and site.asked == ['/openai/clip/models/RN50.pt']
    assert provided(store, clip) == [] and capsys.readouterr() == ('', '')
    assert provided(store, clip, force=True) == [store.place_of(clip)]
    assert len(site.asked) == 1


def test_truncated_converted_file_is_made_anew(store, clip, site):
    provided(store, clip)
    target = store.folder / 'clip.pth'
    content = target.read_bytes()
    target.write_bytes(content[:-100])
    assert store.converted(clip) is None
    assert provided(store, clip) == [store.place_of(clip)] and len(site.asked) == 1
    assert len(target.read_bytes()) == len(content)


@pytest.mark.parametrize('fault', ['gone', 'another file'])
def test_another_host_where_the_first_fails(store, clip, site, capsys, fault):
    if fault == 'gone':
        del site.files['/openai/clip/models/RN50.pt']
    else:
        site.files['/openai/clip/models/RN50.pt'] = b'<html>'
    assert provided(store, clip) == [store.place_of(clip.fallback)]
    said = capsys.readouterr().err
    assert ('answers 404' if fault == 'gone' else 'has 6 bytes') in said
    assert 'Trying another host' in said
    state = torch.load(store.folder / 'clip.pth', weights_only=True)['state_dict']
    assert 'clip.visual.attnpool.positional_embedding' in state


def test_neither_host(store, clip, site):
    site.files = {'/': b''}
    with pytest.raises(ConnectionError) as error:
        provided(store, clip)
    assert f'{site.address}/openai/clip/models/RN50.pt answers 404' in str(error.value)
    assert 'timm/resnet50_clip.openai/resolve/main/open_clip_model.safetensors answers 404' in (
        str(error.value)
    )
    lines = store.instructions([clip]).splitlines()
    assert f'  fetch   {OPENAI}' in lines and f'  or      {HUB}' in lines
    assert f'  put it  {store.place_of(clip.fallback)}' in lines


def test_damaged_file_at_its_place_is_set_aside(store, clip, site, capsys):
    place = store.place_of(clip)
    place.parent.mkdir(parents=True)
    place.write_bytes(b'x' * clip.size)
    assert provided(store, clip) == [place]
    aside = place.with_name('RN50.pt.damaged')
    assert aside.read_bytes() == b'x' * clip.size
    assert f"now called '{aside}'" in capsys.readouterr().err


@pytest.mark.parametrize('linked', [False, True])
def test_damaged_file_in_a_cache_is_set_aside(store, clip, site, tmp_path, monkeypatch, linked):
    blob = tmp_path / 'cache' / ('blob' if linked else 'open_clip_model.safetensors')
    blob.parent.mkdir()
    blob.write_bytes(b'cut')
    cached = blob
    if linked:
        cached = tmp_path / 'open_clip_model.safetensors'
        cached.symlink_to(blob)
    monkeypatch.setattr(
        'ovsam.checkpoints.fetch.find_cached', lambda name: cached if cached.is_file() else None
    )
    assert provided(store, clip) == [store.place_of(clip)]
    assert not cached.is_file() and blob.with_name(blob.name + '.damaged').is_file()


def test_sound_cache_is_used_without_a_network(store, clip, site, tmp_path, monkeypatch):
    cached = tmp_path / 'clip.safetensors'
    monkeypatch.setattr('ovsam.checkpoints.fetch.find_cached', lambda name: cached)
    assert provided(store, clip) == [cached] and site.asked == []


def test_download_that_does_not_convert_is_set_aside(store, clip, site, capsys):
    path = HUB.removeprefix('https://huggingface.co')
    sound, site.files[path] = site.files[path], b'<html>'
    with pytest.raises(DamagedFileError, match=r'RN50\.safetensors.*\(expected https://hugging'):
        provided(store, clip.fallback)
    place = store.place_of(clip.fallback)
    assert not place.exists() and place.with_name('RN50.safetensors.damaged').is_file()
    assert [entry.name for entry in store.folder.iterdir() if not entry.name.startswith('.')] == [
        'downloads'
    ]
    site.files[path] = sound
    assert provided(store, clip.fallback) == [place]


def test_published_file_that_does_not_convert_is_kept(store, clip, site):
    """It is what was published: another download would not help."""
    with pytest.raises(ValueError, match='expected one with neck') as error:
        provided(store, replace(clip, parts=('neck',), fallback=None))
    assert not isinstance(error.value, DamagedFileError) and store.place_of(clip).is_file()


def test_small_and_doubtful_files_come_first(store):
    index = read_model_index()
    files = index.files_of('ovsam-rn50x16-coco')
    assert [file.name for file in store.lacking(files)] == [
        'clip2sam-rn50x16-coco',
        'clip-rn50x16',
        'sam2clip-rn50x16',
        'sam-vit-h-decoder',
    ]


def test_not_enough_disk_is_said_before_the_download(store, clip, site, monkeypatch, capsys):
    monkeypatch.setattr('shutil.disk_usage', lambda folder: type('Usage', (), {'free': 1000}))
    with pytest.raises(
        OSError,
        match='not enough disk for clip: .* MB are needed in .*, 0.0 MB'
        ' are free. Make room, or name .* OVSAM_CHECKPOINTS',
    ):
        provided(store, clip)
    assert site.asked == [] and 'to fetch in 1 files' in capsys.readouterr().err


def test_what_arrived_before_need_not_be_fetched(store, clip, site, capsys):
    place = store.place_of(clip)
    place.parent.mkdir(parents=True)
    place.with_name('RN50.pt.part').write_bytes(site.files['/openai/clip/models/RN50.pt'][:-10])
    provided(store, clip)
    assert 'clip: 0.0 MB to fetch' in capsys.readouterr().err
    assert site.requests == [f'bytes={clip.size - 10}-']


def test_folder_that_cannot_be_written_to(tmp_path, clip):
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='cannot write to .*: name another folder .*OVSAM_CHECKPOINT'):
        provided(WeightStore(tmp_path / 'file' / 'weights'), clip)


def test_disk_that_is_full_while_converting(store, clip, site, monkeypatch):
    @contextmanager
    def full(path):
        yield Path('/dev/full')

    monkeypatch.setattr('ovsam.checkpoints.converted_file.whole_file', full)
    with pytest.raises(
        OSError,
        match=r"is full after a part of '.*clip.pth': make room and run the same command again",
    ):
        provided(store, clip)
    monkeypatch.undo()
    assert not (store.folder / 'clip.pth').exists() and store.place_of(clip).is_file()


def test_two_at_once_fetch_once(store, clip, site):
    both = [threading.Thread(target=provided, args=(store, clip)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert site.asked == ['/openai/clip/models/RN50.pt']


@pytest.mark.parametrize(
    ('model', 'repository'),
    [
        ('clip-rn50', 'resnet50_clip'),
        ('clip-rn50x16', 'resnet50x16_clip'),
        ('clip-rn50x64', 'resnet50x64_clip'),
        ('clip-vit-l-14', 'vit_large_patch14_clip_224'),
    ],
)
def test_every_clip_of_openai_has_a_second_host(model, repository):
    file = read_model_index().files[model]
    assert file.fallback.url == (
        f'https://huggingface.co/timm/{repository}.openai/resolve/main/open_clip_model.safetensors'
    )
    assert file.fallback.file.endswith('.safetensors') and file.fallback.sha256 is None
