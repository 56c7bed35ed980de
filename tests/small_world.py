"""The small world in two images of each kind, exports of its models, and random weights."""

import shutil
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope='session')
def small_world(made_once) -> Path:
    """Folder of two images each for training, validation, tests and of names alone.

    A test that writes into it copies it.
    """
    from tools import make_pictograms

    splits = ['--splits', 'train', 'val', 'test', 'image_level', '--limit', '2', '--workers', '1']

    def draw(folder):
        assert make_pictograms.main(['--out', str(folder), *splits]) == 0

    return made_once('world', draw)


@pytest.fixture(scope='session')
def traced_once(made_once):
    """Writes a graph; exports of one model share its graphs, which take seconds to trace.

    Whatever the precision is, graphs are in float32 at first; how names are compared is in that
    of crops alone.
    """
    from ovsam.export import onnx_files
    from ovsam.export.settings import model_settings
    from ovsam.utils.digest import fingerprint

    trace = onnx_files._trace

    def traced(model, graph, path):
        told = model_settings(model)
        if path.stem != 'crops':
            del told['names']
        weights = {
            key: value
            for key, value in model.state_dict().items()
            if not key.startswith('text_encoder.')
        }
        key = fingerprint([path.stem, graph.outputs, told], weights)
        folder = made_once(f'traced-{key}', lambda folder: trace(model, graph, folder / path.name))
        shutil.copy(folder / path.name, path)

    return traced


@pytest.fixture(scope='session')
def exported(made_once, traced_once):
    """Gives the folder of a shipped model's export, by its name and flags of ``ovsam export``."""
    from ovsam.commands import export
    from ovsam.export import onnx_files

    def of(name, *flags) -> Path:
        def write(folder):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(onnx_files, '_trace', traced_once)
                assert export.main([name, '--out', str(folder), *flags]) == 0

        return made_once('-'.join(['onnx', Path(name).stem, *flags]), write)

    return of


@pytest.fixture(scope='session')
def random_weights(tmp_path_factory) -> Path:
    """A folder like checkpoints/mini, of a miniature OVSAM that has learned nothing."""
    from mmdet.registry import MODELS
    from mmengine.registry import DefaultScope

    from ovsam.apis.init_model import load_config

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(load_config('mini').model)
    # Whatever its masks are, it thinks well of them, so that filters let them pass.
    torch.nn.init.constant_(model.mask_decoder.iou_prediction_head.layers[-1].bias, 0.9)
    parts = {
        'clip.pth': {'clip.': model.backbone, 'clip. ': model.text_encoder},
        'sam.pth': {'prompt_encoder.': model.prompt_encoder, 'mask_decoder.': model.mask_decoder},
        'sam2clip_masks.pth': {'neck.': model.neck},
        'clip2sam_joint.pth': {'': model},
        'examples.pth': {'': model.example_space},
    }
    folder = tmp_path_factory.mktemp('random_mini')
    for name, modules in parts.items():
        state = {
            prefix.strip() + key: value
            for prefix, module in modules.items()
            for key, value in module.state_dict().items()
        }
        torch.save({'state_dict': state}, folder / name)
    return folder


@pytest.fixture
def random_mini(random_weights, monkeypatch) -> str:
    """The name of a config whose weights are there, though random: 'mini'.

    It is what commands take where no model is named, too: the model for photographs is slow.
    """
    from ovsam.apis.init_model import ALIASES
    from ovsam.utils.paths import DEFAULT_MODEL

    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(random_weights))
    monkeypatch.setitem(ALIASES, DEFAULT_MODEL, ALIASES['mini'])
    return 'mini'
