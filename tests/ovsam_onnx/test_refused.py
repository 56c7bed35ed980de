"""What does not belong together is refused, with what to do."""

import json
import shutil
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from ovsam_onnx import Names, OnnxPredictor


@pytest.fixture
def export_of_mini(both, tmp_path):
    """A copy of an export, for changes."""
    return shutil.copytree(both('mini').folder, tmp_path / 'mini')


def test_no_export(tmp_path):
    with pytest.raises(FileNotFoundError, match='give the folder that ovsam export'):
        OnnxPredictor(tmp_path)


def test_a_graph_of_another_export(both, export_of_mini):
    shutil.copy(both('mini-interactive').folder / 'decoder.onnx', export_of_mini)
    with pytest.raises(ValueError, match=r'decoder\.onnx is of another export .* keep the files'):
        OnnxPredictor(export_of_mini)


def test_another_format(export_of_mini):
    path = export_of_mini / 'model.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | {'format': 'ovsam onnx 99'}))
    with pytest.raises(ValueError, match="'ovsam onnx 99', expected 'ovsam onnx 3'"):
        OnnxPredictor(export_of_mini)


def test_a_missing_graph(export_of_mini):
    (export_of_mini / 'regions.onnx').unlink()
    with pytest.raises(FileNotFoundError, match=r'regions\.onnx: export the model again'):
        OnnxPredictor(export_of_mini)


@pytest.mark.parametrize('name', ['encoder.onnx', 'model.json'])
def test_a_file_that_was_not_copied_whole(export_of_mini, name):
    path = export_of_mini / name
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=f'{name} is broken: export the model again'):
        OnnxPredictor(export_of_mini)


def test_onnxruntime_is_missing(both, monkeypatch):
    folder = both('mini').folder
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ImportError, match='pip install onnxruntime'):
        OnnxPredictor(folder)


def test_names_of_another_clip(both):
    predictor, names = both('mini').onnx, Names.read(both('mini').folder / 'names.safetensors')
    with pytest.raises(ValueError, match='by another text encoder'):
        predictor.set_vocabulary(replace(names, text_encoder='another'))
    with pytest.raises(ValueError, match='embedded in 64 channels, .* this model have 128'):
        predictor.set_vocabulary(replace(names, table=names.table[:, :64]))
    assert len(predictor.vocabulary) == len(names)


def test_files_without_names(both, tmp_path):
    predictor = both('mini').onnx
    with pytest.raises(FileNotFoundError, match='ovsam vocabulary NAMES --embed CONFIG'):
        predictor.set_vocabulary(tmp_path / 'none.safetensors')
    with pytest.raises(TypeError, match='come in a file, got a list: ovsam vocabulary NAMES --emb'):
        predictor.set_vocabulary(['cat', 'dog'])
    (tmp_path / 'text.safetensors').write_text('cat')
    with pytest.raises(ValueError, match='no safetensors file'):
        predictor.set_vocabulary(tmp_path / 'text.safetensors')


def test_calls_in_the_wrong_order(both, picture):
    predictor = OnnxPredictor(both('mini').folder)
    with pytest.raises(RuntimeError, match='call set_image first'):
        predictor.predict([[1, 1]])
    predictor.set_image(str(picture))
    assert predictor.predict([[1, 1]]).labels is None
    with pytest.raises(ValueError, match='call set_vocabulary first'):
        predictor.find('cat')


@pytest.mark.parametrize(
    'prompt, message',
    [
        ({}, 'got neither'),
        ({'point_coords': [[900, 1]]}, 'a point outside its image'),
        ({'point_coords': [[1, 1]], 'point_labels': [2]}, 'point_labels must be 1'),
        ({'point_coords': [[1, 1]], 'point_labels': [-1]}, 'at least one point or a box'),
        ({'point_coords': [[1, 1]], 'point_labels': [1, 1]}, 'one label per point'),
        ({'boxes': [9, 9, 3, 3]}, 'a box without area'),
        ({'boxes': [9, 9, np.nan, 3]}, 'finite'),
        ({'boxes': [9, 9, 30]}, 'boxes must be'),
        ({'point_coords': [[1, 1]], 'mask_input': np.zeros((8, 8))}, 'mask_input is 8 x 8'),
        ({'point_coords': [[1, 1]], 'top_k': 0}, 'top_k must be positive'),
    ],
)
def test_prompts_that_mean_nothing(both, picture, prompt, message):
    predictor = both('mini').onnx
    predictor.set_image(str(picture))
    with pytest.raises(ValueError, match=message):
        predictor.predict(**prompt)


@pytest.mark.parametrize(
    'shown, message',
    [
        ({}, 'got neither'),
        ({'boxes': [1, 1, 9, 9], 'masks': np.ones((9, 9))}, 'prompts or masks, not both'),
        ({'point_labels': [1], 'masks': np.ones((9, 9))}, 'prompts or masks, not both'),
        ({'masks': np.ones((9, 9))}, r'of the image, \(\d+, \d+\); got \(9, 9\)'),
    ],
)
def test_regions_that_mean_nothing(both, picture, shown, message):
    predictor = both('mini').onnx
    predictor.set_image(str(picture))
    with pytest.raises(ValueError, match=message):
        predictor.region_features(**shown)
    with pytest.raises(ValueError, match='mask 0 of 1 is empty'):
        predictor.region_features(masks=np.zeros(predictor.image_size))


def test_texts_that_are_not_there(both, picture):
    predictor = both('mini').onnx
    predictor.set_image(str(picture))
    with pytest.raises(ValueError, match=r"does not have \['nothing known'\]"):
        predictor.find('nothing known')
    with pytest.raises(ValueError, match='got none'):
        predictor.find([])
    names = replace(predictor.vocabulary, names=('café',), texts=((),))
    assert names.find('CAFE\u0301') == 0 and names.find('cafe') is None
    for each in (predictor, both('mini').torch):
        each.set_image(str(picture))
        with pytest.raises(TypeError, match='names must be strings; got 1'):
            each.find([1])


def test_a_kind_of_choice_that_is_not_there(both, picture):
    predictor = both('mini-interactive').onnx
    predictor.set_image(str(picture))
    with pytest.raises(ValueError, match="AllGuesses or AllMasks; got 'AllGuess'"):
        predictor.everything(points_per_side=2, mask_choice=dict(type='AllGuess'))


def test_masks_without_embeddings(both, picture):
    for predictor in both('mini')[:2]:
        predictor.set_image(str(picture))
        bare = replace(predictor.predict([[100, 80]]), region_embeddings=None, labels=None)
        with pytest.raises(ValueError, match='these masks came without embeddings'):
            predictor.features_of(bare)
        with pytest.raises(ValueError, match='these masks came without embeddings'):
            predictor.find(predictor.vocabulary.names[0], among=bare)
        assert predictor.name(bare) is bare


def test_the_narrowest_picture(both):
    for predictor in both('mini')[:2]:
        predictor.set_image(np.zeros((1, 512, 3), np.uint8))
        with pytest.raises(ValueError, match='too narrow: 513 x 1 pixels'):
            predictor.set_image(np.zeros((1, 513, 3), np.uint8))
        assert predictor.image_size == (1, 512)


def test_no_pictures(both, tmp_path, monkeypatch):
    predictor = both('mini').onnx
    with pytest.raises(FileNotFoundError, match='does not exist'):
        predictor.set_image(tmp_path / 'none.png')
    (tmp_path / 'text.png').write_text('cat')
    with pytest.raises(ValueError, match='Cannot read picture'):
        predictor.set_image(tmp_path / 'text.png')
    (tmp_path / 'text.png').write_bytes(b'qoif\0\0\0\5\0\0\0\5\3\0')  # an IndexError of Pillow's
    with pytest.raises(ValueError, match='Cannot read picture'):
        predictor.set_image(tmp_path / 'text.png')
    for suffix in ('png', 'tif'):
        for shape in ((4, 5, 3), (4, 5)):
            cv2.imwrite(str(tmp_path / f'deep.{suffix}'), np.full(shape, 4000, np.uint16))
            with pytest.raises(ValueError, match='more than 8 bits'):
                predictor.set_image(tmp_path / f'deep.{suffix}')
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 5)
    Image.new('RGB', (4, 4)).save(tmp_path / 'large.png')
    with pytest.raises(ValueError, match='Cannot read picture .* exceeds limit'):
        predictor.set_image(tmp_path / 'large.png')
    with pytest.raises(ValueError, match='RGB uint8'):
        predictor.set_image(np.zeros((4, 4)))
    with pytest.raises(TypeError, match='path or an'):
        predictor.set_image(3)
