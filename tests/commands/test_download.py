"""Weights are fetched, checked and converted; without a network it is clear what to do."""

import hashlib
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
import yaml
from safetensors.torch import save_file

from ovsam.commands import download


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def site(tmp_path, monkeypatch, save_published):
    """A local site with small published files; returns its address."""
    monkeypatch.setenv('no_proxy', '*')
    folder = tmp_path / 'site'
    folder.mkdir()
    for kind in ('sam', 'sam2clip', 'clip2sam'):
        save_published(kind, folder / f'{kind}.pth')
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()


def entry(tmp_path, address, kind, parts):
    content = (tmp_path / 'site' / f'{kind}.pth').read_bytes()
    return {
        'Name': f'tiny-{kind}',
        'In Collection': 'SAM',
        'Weights': f'{address}/{kind}.pth',
        'Metadata': {
            'File': f'{kind}.pth',
            'License': 'MIT',
            'Converted': f'tiny_{kind}.pth',
            'Parts': parts,
            'Size': len(content),
            'SHA256': hashlib.sha256(content).hexdigest(),
        },
    }


@pytest.fixture
def write_index(tmp_path):
    def write(address):
        parts = {
            'sam': ['prompt_encoder', 'mask_decoder'],
            'sam2clip': ['neck'],
            'clip2sam': ['label_head', 'mask_decoder'],
        }
        models = [entry(tmp_path, address, kind, names) for kind, names in parts.items()]
        models.append(
            {
                'Name': 'tiny-ovsam',
                'Config': 'configs/ovsam/tiny.py',
                'Metadata': {'Made From': [model['Name'] for model in models]},
            }
        )
        (tmp_path / 'index.yml').write_text(yaml.safe_dump({'Models': models}))

    return write


@pytest.fixture
def run(tmp_path, capsys):
    def run(*arguments):
        status = download.main(
            [
                *arguments,
                '--dir',
                str(tmp_path / 'checkpoints'),
                '--index',
                str(tmp_path / 'index.yml'),
            ]
        )
        return status, capsys.readouterr()

    return run


def test_no_name(capsys):
    with pytest.raises(SystemExit):
        download.main([])
    assert 'give a NAME, or --list' in capsys.readouterr().err


def test_fetches_checks_and_converts(site, tmp_path, write_index, run, published):
    write_index(site)
    status, said = run('tiny-ovsam')
    assert status == 0, said.err
    folder = tmp_path / 'checkpoints'
    states = {
        kind: torch.load(folder / f'tiny_{kind}.pth', weights_only=True)['state_dict']
        for kind in ('sam', 'sam2clip', 'clip2sam')
    }
    assert {key.split('.')[0] for key in states['sam']} == {'prompt_encoder', 'mask_decoder'}
    assert {key.split('.')[0] for key in states['sam2clip']} == {'neck'}
    assert torch.equal(
        states['clip2sam']['label_head.projection.weight'],
        published['clip2sam']['mask_decoder.roi_conv.0.conv.weight'],
    )
    assert 'licence MIT' in said.out and 'used     neck_student.* as neck.*' in said.out
    status, said = run('tiny-sam2clip', '--list')
    assert status == 0 and 'tiny_sam2clip.pth: is here already' in said.out
    assert said.out.splitlines()[1].startswith('tiny-ovsam ') and ' ready ' in said.out


def test_without_a_network(site, tmp_path, write_index, run):
    write_index('http://127.0.0.1:9')
    status, said = run('tiny-ovsam')
    assert status == 1
    for kind in ('sam', 'sam2clip', 'clip2sam'):
        place = tmp_path / 'checkpoints' / 'downloads' / f'{kind}.pth'
        size = (tmp_path / 'site' / f'{kind}.pth').stat().st_size
        assert f'fetch   http://127.0.0.1:9/{kind}.pth\n  put it  {place}\n' in said.err
        assert f'          {size:,} bytes, SHA-256 ' in said.err
        place.write_bytes((tmp_path / 'site' / f'{kind}.pth').read_bytes())
    status, said = run('--list')
    assert status == 0 and said.out.count(' downloaded ') == 4
    status, said = run('tiny-ovsam')
    assert status == 0 and (tmp_path / 'checkpoints' / 'tiny_clip2sam.pth').is_file()


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        (
            'sam2clip',
            "Cannot convert .*clip2sam.pth': it is a published SAM2CLIP checkpoint with the "
            'parts neck: expected one with label_head, mask_decoder',
        ),
        (None, 'clip2sam.pth.*truncated or not a checkpoint'),
    ],
)
def test_file_of_another_kind(site, tmp_path, write_index, run, kind, message):
    write_index(site)
    index = yaml.safe_load((tmp_path / 'index.yml').read_text())
    del index['Models'][2]['Metadata']['Size'], index['Models'][2]['Metadata']['SHA256']
    (tmp_path / 'index.yml').write_text(yaml.safe_dump(index))
    content = (tmp_path / 'site' / f'{kind}.pth').read_bytes() if kind else b'<html>'
    published = tmp_path / 'site' / 'clip2sam.pth'
    sound = published.read_bytes()
    published.write_bytes(content)
    status, said = run('tiny-clip2sam')
    place = tmp_path / 'checkpoints' / 'downloads' / 'clip2sam.pth'
    assert status == 1 and not (tmp_path / 'checkpoints' / 'tiny_clip2sam.pth').exists()
    assert re.search(message, said.err) and f'{site}/clip2sam.pth' in said.err
    assert place.with_name('clip2sam.pth.damaged').read_bytes() == content
    published.write_bytes(sound)
    assert run('tiny-clip2sam')[0] == 0 and place.read_bytes() == sound


def test_damaged_file(site, tmp_path, write_index, run):
    write_index(site)
    place = tmp_path / 'checkpoints' / 'downloads' / 'sam.pth'
    place.parent.mkdir(parents=True)
    place.write_bytes(b'short')
    (tmp_path / 'site' / 'sam.pth').write_bytes(b'short')
    status, said = run('tiny-sam', 'tiny-sam2clip')
    assert status == 1 and "sam.pth' has 5 bytes, expected" in said.err
    assert 'gave another file than expected' in said.err
    # What could be done is done.
    assert (tmp_path / 'checkpoints' / 'tiny_sam2clip.pth').is_file()
    assert place.with_name('sam.pth.damaged').read_bytes() == b'short' and not place.exists()


def test_mirror(site, tmp_path, write_index, run):
    write_index('http://weights.example.org')
    assert run('tiny-sam', '--mirror', f'weights.example.org={site}')[0] == 0
    assert run('tiny-sam2clip', '--mirror', 'nonsense')[1].err.endswith(
        "'nonsense' is neither ADDRESS nor HOST=ADDRESS with an address that begins with "
        'https:// or http:// (see HF_ENDPOINT and OVSAM_MIRROR in docs/weights.md)\n'
    )


def test_unknown_name(site, write_index, run):
    write_index(site)
    status, said = run('tiny-ovsan')
    assert status == 2 and 'There is: tiny-ovsam, ' in said.err
    assert said.err.partition('There is:')[2].count('tiny-') <= 5


def test_cache_of_open_clip_comes_first(tmp_path, monkeypatch, published, capsys):
    monkeypatch.setenv('HOME', str(tmp_path))
    cached = tmp_path / 'hub' / 'open_clip_model.safetensors'
    cached.parent.mkdir()
    save_file({key: value.contiguous() for key, value in published['clip'].items()}, cached)
    monkeypatch.setattr(
        'ovsam.checkpoints.open_clip_cache.try_to_load_from_cache',
        lambda repository, file: str(cached) if file == cached.name else None,
    )
    assert download.main(['clip-rn50', '--dir', str(tmp_path / 'checkpoints')]) == 0
    assert f'from {cached}' in capsys.readouterr().out
    state = torch.load(tmp_path / 'checkpoints' / 'clip_RN50.pth', weights_only=True)['state_dict']
    assert state.keys() == {f'clip.{key}' for key in published['clip']}
