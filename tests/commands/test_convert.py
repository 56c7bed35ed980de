"""The command line of the conversion: what became of the keys, or one clear line."""

import os
import re

import pytest
import torch

from ovsam.commands import convert


@pytest.fixture
def run(tmp_path, capsys):
    def run(*arguments):
        out = tmp_path / 'out' / 'out.pth'
        status = convert.main([*map(str, arguments), '--out', str(out)])
        return status, out, capsys.readouterr()

    return run


def test_no_file(capsys):
    with pytest.raises(SystemExit):
        convert.main(['--out', 'a.pth'])
    assert 'FILE' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        convert.main(['x.pth', '--to', 'published', '--all', '--out', 'a.pth'])
    assert '--all is for --to ours' in capsys.readouterr().err


def test_there_and_back(run, save_published, published, tmp_path):
    status, out, said = run(*map(save_published, ('sam2clip', 'clip2sam', 'clip')), '--all')
    assert status == 0
    assert 'used     neck_student.* as neck.* ' in said.out and 'never used' in said.out
    ours = out.rename(tmp_path / 'ours.pth')
    status, out, said = run(ours, '--to', 'published')
    assert status == 2 and 'published in 2 files: choose' in said.err and not out.exists()
    status, out, said = run(
        ours, '--to', 'published', '--parts', 'neck', 'label_head', 'mask_decoder'
    )
    assert status == 0
    back = torch.load(out, weights_only=True)['state_dict']
    assert back.keys() == published['ovsam'].keys()
    assert all(torch.equal(back[key], value) for key, value in published['ovsam'].items())


def test_every_key(run, save_published):
    status, _, said = run(save_published('sam'), '--verbose', '--parts', 'image_encoder')
    assert status == 0
    assert (
        'used     image_encoder.blocks.0.norm1.bias as image_encoder.layers.0.ln1.bias\n'
        in said.out
    )
    assert 'dropped  prompt_encoder.no_mask_embed.weight: of a part that was not' in said.out


class Runs:
    def __reduce__(self):
        return os.mkdir, ('made',)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'does not exist'),
        (b'', 'truncated'),
        (b'<html>Not found</html>', 'not a checkpoint'),
        ([1], 'holds no weights'),
        ({'epoch': 3}, 'holds no weights'),
        ({'state_dict': Runs()}, 'pickled objects'),
        (
            {'rpn_head.conv.weight': torch.zeros(1)},
            "seems to be a detector's checkpoint.*expected SAM",
        ),
        ({'visual.attnpool.positional_embedding': torch.zeros(5)}, 'CLIP .* is damaged'),
    ],
)
def test_bad_file_is_one_line(run, tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'bad.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    status, out, said = run(path)
    assert status == 2 and said.err.count('\n') == 1
    assert re.search(rf'^convert: .*bad.pth.*{message}', said.err)
    assert not out.parent.exists() and not (tmp_path / 'made').exists()


def test_truncated_safetensors(run, tmp_path):
    (tmp_path / 'clip.safetensors').write_bytes(b'\x10\0\0\0\0\0\0\0{')
    status, _, said = run(tmp_path / 'clip.safetensors')
    assert status == 2 and 'clip.safetensors' in said.err and 'truncated' in said.err


def test_cache_of_open_clip(run, published, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setattr(
        'ovsam.checkpoints.open_clip_cache.try_to_load_from_cache', lambda *args: None
    )
    status, _, said = run('open_clip://RN50/openai')
    assert status == 2 and 'has not downloaded' in said.err and 'RN50.pt' in said.err
    status, _, said = run('open_clip://RN51/openai')
    assert status == 2 and 'open_clip has no weights' in said.err
    (tmp_path / '.cache' / 'clip').mkdir(parents=True)
    torch.save(published['clip'], tmp_path / '.cache' / 'clip' / 'RN50.pt')
    status, out, _ = run('open_clip://RN50/openai')
    assert status == 0
    assert torch.load(out, weights_only=True)['state_dict'].keys() == {
        f'clip.{key}' for key in published['clip']
    }
