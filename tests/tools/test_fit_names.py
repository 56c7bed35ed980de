import json

import pytest
import torch

from ovsam.utils.paths import config_path
from tools import fit_names

pytest.importorskip('tokenizers')

CONFIG = """
default_scope = 'mmdet'
held_out = {held_out}
ridge = 0.1
model = dict(
    backbone=dict(type='EfficientNetLiteTower', arch='tf_efficientnet_lite0'),
    text_encoder=dict(
        type='SentenceTextEncoder', tokenizer={tokenizer!r}, max_tokens=8,
        sentences=dict(vocab_size=4, width=8, depth=1, num_heads=1, max_tokens=8),
        projection=dict(num_points=1000, out_dims=1280)))
"""


def write_config(folder, held_out):
    tokenizer = {
        'version': '1.0',
        'pre_tokenizer': {'type': 'Whitespace'},
        'model': {
            'type': 'WordLevel',
            'unk_token': '[UNK]',
            'vocab': {
                word: place for place, word in enumerate(['[PAD]', '[UNK]', 'photo', 'fish'])
            },
        },
    }
    (folder / 'tokenizer.json').write_text(json.dumps(tokenizer))
    config = folder / 'names.py'
    config.write_text(CONFIG.format(held_out=held_out, tokenizer=str(folder / 'tokenizer.json')))
    return str(config)


def test_what_was_learned_is_written(tmp_path, capsys):
    out = tmp_path / 'new' / 'names.pth'
    config = write_config(tmp_path, ['n01440764', 'n01443537'])
    assert fit_names.main([config, '--out', str(out)]) == 0
    assert 'learned on 998 classes' in capsys.readouterr().out
    state = torch.load(out, weights_only=True)['state_dict']
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        'points': (998, 8),
        'weights': (998, 1280),
        'scale': (998, 1),
    }
    assert state['weights'].dtype == torch.int8 and all(value.any() for value in state.values())


def test_what_is_there_stays_if_writing_fails(tmp_path, monkeypatch, capsys):
    def fails(content, path):
        path.write_bytes(b'half of it')
        raise OSError('disk full')

    out = tmp_path / 'names.pth'
    out.write_bytes(b'before')
    monkeypatch.setattr(fit_names.torch, 'save', fails)
    assert fit_names.main([write_config(tmp_path, []), '--out', str(out)]) == 2
    assert out.read_bytes() == b'before' and 'disk full' in capsys.readouterr().err


def test_a_class_that_there_is_not(tmp_path, capsys):
    config = write_config(tmp_path, ['cat'])
    assert fit_names.main([config, '--out', str(tmp_path / 'names.pth')]) != 0
    assert 'no classes of ImageNet-1k' in capsys.readouterr().err


def test_configs_of_something_else(tmp_path, capsys):
    config = config_path('photo/base_box.py')
    assert fit_names.main([str(config), '--out', str(tmp_path / 'names.pth')]) == 2
    assert 'base_box.py has no held_out and no ridge' in capsys.readouterr().err
