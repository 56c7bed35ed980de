import pytest
import torch

from ovsam.parts.photographs import LinearCorrection
from ovsam.utils.paths import config_path
from tests.elsewhere import Elsewhere
from tools import fit_correction

TRAIN = ('--train', 'annotations/train.json', 'train/')

CONFIG = """
_base_ = [{photo!r}]
world = {world!r}
names = dict(type='PictogramVocabulary', group='split', seen='base')
model = dict(
    vocabulary=names,
    zoomed_pass=None,
    label_head=dict(correction=dict(num_names={number})),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='OpenVocabularyCocoDataset',
        vocabulary=names,
        data_root=world,
        ann_file='annotations/val.json',
        data_prefix=dict(img='val/'),
        test_mode=True,
        pipeline=_base_.test_pipeline,
    ),
)
"""


@pytest.fixture
def config(small_world, photo_packages, tmp_path):
    """The photographic model among the pictograms' names, on pictograms."""

    def written(number: int) -> str:
        file = tmp_path / 'config.py'
        photo = str(config_path('photo/base_box.py'))
        file.write_text(CONFIG.format(photo=photo, world=f'{small_world}/', number=number))
        return str(file)

    return written


def test_what_cannot_be_fitted(config, tmp_path, capsys):
    out = ('--out', str(tmp_path / 'correction.pth'))
    with pytest.raises(SystemExit):
        fit_correction.main([config(48), *TRAIN, *out, '--decay', '0'])
    assert '--decay and --limit must be positive' in capsys.readouterr().err
    assert fit_correction.main([str(config_path('mini/ovsam_base_box.py')), *TRAIN, *out]) == 2
    assert 'has no correction' in capsys.readouterr().err
    assert fit_correction.main([config(3), *TRAIN, *out]) == 2
    assert 'num_names of the correction' in capsys.readouterr().err
    (tmp_path / 'folder').mkdir()
    arguments = ['nowhere.py', *TRAIN, '--out', str(tmp_path / 'folder')]
    assert fit_correction.main(arguments) == 2  # before all else
    assert 'is a folder: name a file to write' in capsys.readouterr().err


def test_a_correction_is_fitted_on_seen_names(config, tmp_path, monkeypatch, capsys):
    collect = fit_correction.collect_embeddings

    def on_a_gpu(*args):
        return [each.as_subclass(Elsewhere) for each in collect(*args)]

    monkeypatch.setattr(fit_correction, 'collect_embeddings', on_a_gpu)
    out = tmp_path / 'correction.pth'
    assert fit_correction.main([config(1), *TRAIN, '--out', str(out)]) == 2
    number = int(capsys.readouterr().err.split(' seen names')[0].split()[-1])
    other = 'val_dataloader.dataset.vocabulary=coco'
    arguments = [config(number), *TRAIN, '--out', str(out), '--limit', '3']
    assert fit_correction.main([*arguments, '--cfg-options', other]) == 2
    assert 'have other names than its model' in capsys.readouterr().err
    assert fit_correction.main(arguments) == 0
    assert 'training objects are named rightly' in capsys.readouterr().out
    found = LinearCorrection(1280, number)
    found.load_state_dict(torch.load(out, weights_only=True))
    assert found.reading.abs().max() > 0 and found.mean.abs().max() > 0
    torch.testing.assert_close(found.names.norm(dim=1), torch.ones(number))
