"""The command line for vocabularies."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from ovsam.apis import init_model
from ovsam.commands import vocabulary as tool
from ovsam.vocabulary import PACKS, Vocabulary, build_vocabulary
from ovsam_onnx import Names


def test_no_vocabulary(capsys):
    assert tool.main([]) == 2
    assert capsys.readouterr().err.startswith('vocabulary: name a vocabulary: coco, ')


def test_list(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert tool.main(['--list']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PACKS)
    assert '1,203  LVIS v1' in lines[2]
    assert 'no file' in lines[-1]


def test_show(capsys):
    assert tool.main(['coco-48-17', '--show', '2']) == 0
    assert capsys.readouterr().out.splitlines() == [
        '65 names, 65 texts, 48 seen, 48 base, 17 novel',
        '     0  person: person',
        '     1  bicycle: bicycle',
    ]
    assert tool.main(['imagenet1k', '--show', '1']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == ['     0  tench: tench, Tinca tinca [n01440764]']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['cat,dog', '--out', 'names.txt'], '--out ends in .json, or in .safetensors for'),
        (['--list', '--out', 'a.json', '--show', '2'], 'name a vocabulary for --show, --out: coco'),
        (['cat', '--weights', 'a.pth', '--templates', 'simple'], '--weights, --templates without'),
        (['cat', '--cache', 'a', '--device', 'cpu'], '--cache, --device without --embed'),
        (['cat', '--templates', 'vild'], '--templates without --embed'),
    ],
)
def test_flags_that_would_do_nothing(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert tool.main(arguments) == 2
    said = capsys.readouterr()
    assert message in said.err and not said.out and not [*tmp_path.iterdir()]


def test_a_file_to_edit(tmp_path):
    path = tmp_path / 'new' / 'names.json'
    assert tool.main(['coco-48-17+zebra crossing,', '--out', str(path)]) == 2
    assert tool.main(['coco-48-17', '--out', str(path)]) == 0
    assert build_vocabulary(str(path)).to_dict() == build_vocabulary('coco-48-17').to_dict()


def test_embed_with_a_config(tmp_path, random_mini, capsys):
    arguments = ['cat,dog', '--embed', random_mini, '--cache', str(tmp_path), '--device', 'cpu']
    assert tool.main(arguments) == 0
    assert '2 names are embedded in 128 channels' in capsys.readouterr().out
    (bank,) = tmp_path.rglob('*.safetensors')
    before = bank.stat().st_mtime_ns
    assert tool.main(arguments) == 0
    assert bank.stat().st_mtime_ns == before


def test_an_out_that_cannot_be_written_is_said_before(tmp_path, random_mini, capsys):
    (tmp_path / 'file').touch()
    out = str(tmp_path / 'file' / 'names.safetensors')
    flags = ['--embed', random_mini, '--cache', str(tmp_path), '--device', 'cpu', '--out', out]
    assert tool.main(['cat,dog', *flags]) == 2
    assert not capsys.readouterr().out and not [*tmp_path.rglob('*.safetensors')]


def test_a_file_with_embeddings(tmp_path, random_mini, capsys):
    path = tmp_path / 'names.safetensors'
    names = 'anchor,ANCHOR,no pictogram'
    assert tool.main([names, '--out', str(path)]) == 2
    assert 'say with --embed CONFIG' in capsys.readouterr().err and not path.exists()
    more = ['--embed', random_mini, '--cache', str(tmp_path), '--device', 'cpu']
    with pytest.warns(UserWarning, match='ANCHOR'):
        assert tool.main([names, '--out', str(path), *more]) == 0
    found, model = Names.read(path), init_model(random_mini, device='cpu')
    assert found.names == ('anchor', 'no pictogram') and found.find('Anchor') == 0
    assert found.seen.tolist() == [
        bool(model.vocabulary.seen[model.vocabulary.index('anchor')]),
        False,
    ]
    bank = model.bank(build_vocabulary(list(found.names)))
    np.testing.assert_allclose(found.table, bank.table.numpy(), atol=1e-6)
    assert found.text_encoder == model.text_encoder.fingerprint()


def test_templates_of_the_command_line_count_most(tmp_path, random_mini):
    own, path = tmp_path / 'own.json', tmp_path / 'names.safetensors'
    Vocabulary(['cat'], templates=['one {}', 'two {}']).to_json(own)
    more = ['--embed', random_mini, '--cache', str(tmp_path), '--device', 'cpu']
    for flags, templates in (([], ('one {}', 'two {}')), (['--templates', 'none'], ('{}',))):
        assert tool.main([str(own), '--out', str(path), *more, *flags]) == 0
        with safe_open(path, 'np') as file:
            assert json.loads(file.metadata()['templates']) == [*templates]


def test_what_the_text_tower_cuts(tmp_path, random_mini):
    long = 'cat ' * 12
    with pytest.warns(UserWarning, match=r"1 of the texts .* reads 10 tokens .*'cat cat .*\(12\)"):
        assert (
            tool.main(
                [long + ',dog', '--embed', random_mini, '--cache', str(tmp_path), '--device', 'cpu']
            )
            == 0
        )


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--embed', 'RN50'], 'needs its weights'),
        (['--embed', 'RN50', '--weights', 'none.pth'], 'none.pth'),
        (['--embed', 'mini', '--weights', 'clip.pth'], 'are for a CLIP by name'),
        (['--embed', 'mini/sam_box.py'], 'has no text_encoder'),
        (['--embed', 'no_such'], 'no_such'),
        (['--embed', 'mini', '--templates', 'fancy'], "no templates 'fancy'"),
        (['--embed', 'mini/image_crop_coop_box'], 'has a learned context in place of templates'),
    ],
)
def test_what_cannot_embed(arguments, message, random_weights, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
    assert tool.main(['cat,dog', *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_embeds_is_what_models_read(tmp_path, random_mini, monkeypatch):
    monkeypatch.setenv('OVSAM_CACHE', str(tmp_path))
    assert tool.main(['cat,dog', '--embed', random_mini]) == 0
    from ovsam.apis import init_model

    model = init_model(random_mini, device='cpu')
    monkeypatch.setattr(type(model.text_encoder), 'forward', None)  # nothing is left to embed
    bank = model.bank(Vocabulary(['dog', 'cat']))
    logits = model.classify(model.text_encoder.text.text_projection.new_ones(1, 128), bank)
    assert logits.shape == (1, 3)
    assert json.dumps(sorted(model.state_dict())).count('embeddings') == 0
