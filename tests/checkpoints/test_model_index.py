"""The index says what there is, and other files say nothing else."""

from pathlib import Path

import modelindex
import open_clip
import pytest
import yaml

from ovsam.checkpoints.model_index import read_model_index
from ovsam.checkpoints.open_clip_cache import open_clip_weights
from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.checkpoints.table import SECTION, main, tables
from ovsam.utils.marked_section import section_marks

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / 'docs' / 'weights.md'


@pytest.fixture
def write(tmp_path):
    def write(*models):
        path = tmp_path / 'model-index.yml'
        path.write_text(yaml.safe_dump({'Models': list(models)}))
        return path

    return write


def entry(**metadata):
    return {
        'Name': 'a',
        'In Collection': 'SAM',
        'Weights': 'https://example.org/a.pth',
        'Metadata': {
            'File': 'a.pth',
            'License': 'MIT',
            'Converted': 'a.pth',
            'Parts': ['clip'],
            **metadata,
        },
    }


def test_empty_index(write):
    index = read_model_index(write())
    assert not index.files and not index.models
    with pytest.raises(ValueError, match="No weights are called 'a'"):
        index.files_of('a')


def test_entries():
    index = read_model_index()
    files = index.files_of('ovsam-rn50x16-coco')
    assert {part for file in files for part in file.parts} == {
        'prompt_encoder',
        'mask_decoder',
        'clip',
        'neck',
        'label_head',
    }
    assert index.files_of('sam-vit-h') == [index.files['sam-vit-h']]
    with pytest.raises(ValueError, match='There is: ovsam-rn50x16-coco, '):
        index.files_of('ovsam-rn50x16-cocos')


def test_every_fact_has_its_form():
    files = read_model_index().files.values()
    assert len({file.converted for file in files}) == len(files)
    for file in files:
        assert file.url.startswith('https://') and file.licence
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
        same = [other for other in files if other.file == file.file]
        assert {(other.url, other.size, other.sha256) for other in same} == {
            (file.url, file.size, file.sha256)
        }


def test_files_that_may_change_are_pinned():
    files = read_model_index().files
    assert files['clip-convnext-large-d-320'].size == 1_407_151_868
    hub = [file for file in files.values() if file.url.startswith('https://huggingface.co/')]
    assert len(hub) == 4 and not any('/resolve/main/' in file.url for file in hub)
    assert all(
        'S-Lab License 1.0' in file.licence and 'none named' in file.licence
        for file in hub
        if file.collection == 'OVSAM'
    )


def test_configs_are_there():
    configs = [ROOT / model.config for model in read_model_index().models.values()]
    if not (ROOT / 'configs' / 'ovsam').is_dir():
        pytest.skip('the configs of the paper are not in this checkout')
    assert [path.name for path in configs if not path.is_file()] == []


def test_openmmlab_can_read_it():
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    names = [model.name for model in index.models]
    ours = read_model_index()
    assert sorted(names) == sorted([*ours.models, *ours.files])


def test_addresses_of_openai_are_those_of_open_clip():
    file = read_model_index().files['clip-rn50x16']
    assert file.url == open_clip.get_pretrained_cfg('RN50x16', 'openai')['url']
    assert file.sha256 in file.url


def test_weights_that_open_clip_has_on_the_hub_alone(write):
    name = 'open_clip://convnext_large_d_320/laion2b_s29b_b131k_ft_soup'
    file = read_model_index(write({**entry(), 'Weights': name})).files['a']
    assert [source.url for source in file.sources] == [open_clip_weights(name).hub_url]
    assert file.url.startswith('https://huggingface.co/laion/') and file.open_clip == name


def test_document_is_in_step(tmp_path):
    copy = tmp_path / 'weights.md'
    copy.write_bytes(DOCUMENT.read_bytes())
    assert main([str(copy)]) == 0
    assert copy.read_bytes() == DOCUMENT.read_bytes()


def test_document_is_brought_into_step(tmp_path, capsys):
    copy = tmp_path / 'weights.md'
    begin, end = section_marks(SECTION)
    copy.write_text(f'before\n{begin}\nold\n{end}\nafter\n')
    assert main([str(copy)]) == 0
    text = copy.read_text()
    assert text.startswith('before\n') and text.endswith('\nafter\n') and 'old' not in text
    assert '`sam-vit-h`' in text
    copy.write_text('no marks')
    assert main([str(copy)]) == 2 and 'has no place for the section' in capsys.readouterr().err


def test_unknown_facts_are_called_so(write):
    text = tables(read_model_index(write(entry())))
    assert '| [a.pth](https://example.org/a.pth) | unknown | unknown | MIT |' in text


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('ovsam.checkpoints.safe_loading.resource_root', lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match='ovsam download clip-rn50x16$'):
        load_from_local('checkpoints/clip_RN50x16.pth')
    with pytest.raises(FileNotFoundError, match='Check the path'):
        load_from_local('elsewhere/clip_RN50x16.pth')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('Models: {', 'is not YAML'),
        ('[]', 'no model index'),
        ('Models: 3', 'no model index'),
        ('Models: [5]', 'index.yml is no model index: .* of objects'),
        ('Models: [{Metadata: 5}]', 'damaged entry: argument of type'),
        ('Models: [{Name: a}]', "damaged entry: 'Metadata' is missing"),
    ],
)
def test_damaged_index(tmp_path, text, message):
    (tmp_path / 'index.yml').write_text(text)
    with pytest.raises(ValueError, match=message):
        read_model_index(tmp_path / 'index.yml')


def test_an_index_of_another_encoding(tmp_path):
    path = tmp_path / 'index.yml'
    path.write_text('Models: []', encoding='utf-16')
    assert not read_model_index(path).files
    path.write_bytes(b'Models: [\xff]')
    with pytest.raises(ValueError, match=r'index\.yml is not YAML'):
        read_model_index(path)


def test_damaged_entries(write):
    with pytest.raises(ValueError, match=r'a has the parts wings; there are image_enc'):
        read_model_index(write(entry(Parts=['wings'])))
    with pytest.raises(ValueError, match='index.yml has a damaged entry: '):
        read_model_index(write({**entry(), 'Weights': None}))
    with pytest.raises(ValueError, match="'b' is missing"):
        read_model_index(write({'Name': 'm', 'Config': 'c.py', 'Metadata': {'Made From': ['b']}}))
    with pytest.raises(ValueError, match='open_clip has no weights .*its weights are openai'):
        read_model_index(write({**entry(), 'Weights': 'open_clip://RN50x16/nobody'}))
