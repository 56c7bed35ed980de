"""A published model's name is all that it takes: weights are fetched the first time."""

import cv2
import numpy as np
import pytest
import torch
import yaml
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from ovsam.apis import OVSAMInferencer, OVSAMPredictor, init_model
from ovsam.apis.init_model import load_config
from ovsam.checkpoints.conversion import to_published
from ovsam.checkpoints.converted_file import write_published
from ovsam.checkpoints.loading import read_state_dict
from ovsam.commands import download, predict
from ovsam.serving.shared_model import SharedModel
from ovsam.utils.paths import config_path, resource_root

PARTS = {
    'clip': ['clip'],
    'sam': ['prompt_encoder', 'mask_decoder'],
    'sam2clip_masks': ['neck'],
    'clip2sam_joint': ['label_head', 'mask_decoder'],
}


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """A folder with the small world's OVSAM as if published, its head of the published kind."""
    folder = tmp_path_factory.mktemp('tiny')
    (folder / 'tiny.py').write_text(
        f'_base_ = [{str(config_path("mini/ovsam_box_all_names.py"))!r}]\n'
        'model = dict(label_head=dict(projection=None), example_space=None)'
    )
    with DefaultScope.overwrite_default_scope('mmdet'):
        learned = MODELS.build(load_config(folder / 'tiny.py').model).state_dict()
    torch.save(learned, folder / 'own.pth')
    for name, parts in PARTS.items():
        weights = (
            learned
            if name == 'clip2sam_joint'
            else read_state_dict(str(resource_root() / f'checkpoints/mini/{name}.pth'))
        )
        write_published(folder / f'{name}.pth', to_published(weights, parts=parts))
    return folder


@pytest.fixture
def site(server, tiny, tmp_path, monkeypatch):
    """A mirror of the hub with the files of tiny-ovsam; the server."""
    entries = []
    for name, parts in PARTS.items():
        content = (tiny / f'{name}.pth').read_bytes()
        server.files[f'/o/r/resolve/main/{name}.pth'] = content
        entries.append(
            {
                'Name': f'tiny-{name}',
                'In Collection': 'OVSAM',
                'Weights': f'https://huggingface.co/o/r/resolve/main/{name}.pth',
                'Metadata': {
                    'File': f'{name}-published.pth',
                    'License': 'MIT',
                    'Size': len(content),
                    'Converted': f'{name}.pth',
                    'Parts': parts,
                },
            }
        )
    entries.append(
        {
            'Name': 'tiny-ovsam',
            'Config': str(tiny / 'tiny.py'),
            'Metadata': {'Made From': [entry['Name'] for entry in entries]},
        }
    )
    (tmp_path / 'index.yml').write_text(yaml.safe_dump({'Models': entries}))
    monkeypatch.setenv('OVSAM_MODEL_INDEX', str(tmp_path / 'index.yml'))
    monkeypatch.setenv('HF_ENDPOINT', server.address)
    monkeypatch.setenv('OVSAM_CHECKPOINTS', str(tmp_path / 'weights'))
    # What the small world's configs call the folder in which its weights are.
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', 'checkpoints')
    return server


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'picture.png'
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    return path


def test_unknown_name():
    with pytest.raises(FileNotFoundError, match='There is: ovsam-rn50x16-coco, ') as error:
        OVSAMPredictor('ovsam-rn50x16-cocoo')
    assert str(error.value).partition('There is:')[2].count(',') <= 4
    with pytest.raises(
        ValueError,
        match='sam-vit-h is a part of a model: expected a whole one, '
        'for example ovsam-rn50x16-coco or',
    ):
        OVSAMPredictor('sam-vit-h')


def test_config_of_a_name_fetches_nothing(site):
    assert load_config('tiny-ovsam').model.type == 'OVSAM' and site.asked == []


def test_fetched_the_first_time(site, tmp_path, tiny, picture, capsys):
    model = init_model('tiny-ovsam')
    assert len(site.asked) == 4 and 'tiny-ovsam: ' in capsys.readouterr().err
    saved = read_state_dict(str(tiny / 'clip2sam_joint.pth'))
    assert torch.equal(
        model.label_head.projection.weight.cpu(), saved['mask_decoder.roi_conv.0.conv.weight']
    )
    for downloaded in (tmp_path / 'weights' / 'downloads').iterdir():
        downloaded.unlink()
    OVSAMInferencer('tiny-ovsam', show_progress=False)
    SharedModel('tiny-ovsam')
    assert (
        predict.main(
            [
                str(picture),
                '--point',
                '30,30',
                '--model',
                'tiny-ovsam',
                '--vocabulary',
                'cat,dog',
                '--out',
                str(tmp_path / 'out'),
            ]
        )
        == 0
    )
    assert len(site.asked) == 4 and 'to fetch' not in capsys.readouterr().err
    assert (tmp_path / 'out' / 'picture.json').is_file()


def test_the_tool_fetches_for_the_model(site):
    assert download.main(['tiny-ovsam']) == 0
    assert len(site.asked) == 4
    init_model('tiny-ovsam')
    assert len(site.asked) == 4


def test_own_checkpoint(site, tiny):
    init_model('tiny-ovsam', tiny / 'own.pth')
    assert len(site.asked) == 3 and not any('clip2sam' in path for path in site.asked)


def test_without_a_network(site, tmp_path, monkeypatch, picture, capsys):
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    with pytest.raises(
        ConnectionError,
        match='cannot fetch http://127.0.0.1:9/o/r/.*by other means: ovsam download tiny-ovsam',
    ):
        OVSAMPredictor('tiny-ovsam')
    assert (
        predict.main(
            [
                str(picture),
                '--point',
                '3,3',
                '--model',
                'tiny-ovsam',
                '--out',
                str(tmp_path / 'out'),
            ]
        )
        == 2
    )
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith('predict: cannot fetch http://127.0.0.1:9/o/r/resolve/main/')
