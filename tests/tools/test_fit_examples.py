import json
import re
import shutil

import pytest
import torch

from ovsam.naming.examples import ExampleSpace
from ovsam.utils.paths import config_path
from tests.elsewhere import Elsewhere
from tools import fit_examples

TRAIN = ('--train', 'annotations/train.json', 'train/')


def test_nothing_to_fit_on(tmp_path, capsys):
    out = ('--out', str(tmp_path / 'examples.pth'))
    with pytest.raises(SystemExit):
        fit_examples.main(['mini/ovsam_base_box.py', *TRAIN, '--rank', '0', *out])
    assert '--rank and --ridge must be positive' in capsys.readouterr().err
    assert fit_examples.main([str(config_path('mini/sam_box.py')), *TRAIN, *out]) == 2
    assert 'a SAM gives no names' in capsys.readouterr().err
    (tmp_path / 'folder').mkdir()
    arguments = ['nowhere.py', *TRAIN, '--out', str(tmp_path / 'folder')]
    assert fit_examples.main(arguments) == 2  # before all else
    assert 'is a folder: name a file to write' in capsys.readouterr().err


@pytest.fixture
def world_of_two(small_world, tmp_path, monkeypatch):
    """The small world as if there were books and cars only, so that names have several objects."""
    world = tmp_path / 'world'
    shutil.copytree(small_world, world)
    for split in ('train', 'val'):
        file = world / 'annotations' / f'{split}.json'
        content = json.loads(file.read_text())
        numbers = {each['name']: each['id'] for each in content['categories']}
        for place, annotation in enumerate(content['annotations']):
            annotation['category_id'] = numbers[('book', 'car')[place % 2]]
        file.write_text(json.dumps(content))
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(world))


def test_a_space_is_fitted_and_its_line_printed(world_of_two, tmp_path, monkeypatch, capsys):
    collect = fit_examples.collect_embeddings

    def on_a_gpu(*args):
        return [each.as_subclass(Elsewhere) for each in collect(*args)]

    monkeypatch.setattr(fit_examples, 'collect_embeddings', on_a_gpu)
    config, out = str(config_path('mini/ovsam_base_box.py')), tmp_path / 'examples.pth'
    assert fit_examples.main([config, *TRAIN, '--rank', '8', '--out', str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    settings = {key: float(value) for key, value in re.findall(r'(\w+)=([\d.]+)', line)}
    assert settings['embed_dims'] == 128 and settings['num_opinions'] == 2
    assert settings['scale'] in fit_examples.SCALES and settings['shift'] in fit_examples.SHIFTS
    space = ExampleSpace(128, rank=int(settings['rank']))
    space.load_state_dict(torch.load(out, weights_only=True))
    assert space.varying.shape == (2, 128, 8) and space.varying.norm(dim=1).min() > 0.1


def test_names_without_training_objects_are_not_taught(world_of_two, tmp_path, capsys):
    """Of few images, some names of the validation data have none."""
    world = tmp_path / 'world/annotations'
    arguments = [str(config_path('mini/ovsam_base_box.py')), *TRAIN, '--limit', '2']
    arguments += ['--out', str(tmp_path / 'examples.pth')]
    for split, status in (('train', 0), ('val', 2)):
        content = json.loads((world / f'{split}.json').read_text())
        kept = {annotation['category_id'] for annotation in content['annotations']}
        name = min(kept) if split == 'train' else max(kept)
        for annotation in content['annotations']:
            annotation['category_id'] = name
        (world / f'{split}.json').write_text(json.dumps(content))
        assert fit_examples.main(arguments) == status
    assert 'there is nothing to teach' in capsys.readouterr().err
