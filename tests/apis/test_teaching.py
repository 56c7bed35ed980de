"""Names by example, as users teach them."""

from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from ovsam.apis import OVSAMPredictor
from ovsam.apis.user_prompts import teach_examples
from ovsam.naming.taught_file import KIND
from ovsam_onnx.names import read_columns


def middle(box):
    left, top, right, bottom = box
    return [(left + right) / 2, (top + bottom) / 2]


def test_nothing_is_shown(predictor, scene):
    none = np.zeros((0, 256, 256), bool)
    (image,) = predictor.encode([scene[0]])
    found = image.described(predictor.model, none)
    assert found.masks.shape == (0, 256, 256) and found.boxes.shape == (0, 4)
    assert found.region_embeddings.shape[0] == 0 and found.stability is None
    with pytest.raises(ValueError, match='no example of thing'):
        predictor.teach('thing', masks=none)
    before = predictor.image_size
    teach_examples(predictor, [])
    assert predictor.taught_names == {} and predictor.image_size == before == (256, 256)


def test_examples_as_a_command_line_has_them(predictor, scene, tmp_path):
    picture = tmp_path / 'scene.png'
    Image.fromarray(scene[0]).save(picture)
    (x, y), box = middle(scene[1][0]), ','.join(map(str, scene[1][1]))
    teach_examples(predictor, [f'gizmo={picture}@{x},{y}', f'thing={picture}@{box}'])
    assert predictor.taught_names == {'gizmo': 1, 'thing': 1} and predictor.image_size is None
    teach_examples(predictor, [f'gizmo={picture}@{x},{y};{x + 1},{y};{x},{y + 1}'])
    assert predictor.taught_names == {'gizmo': 2, 'thing': 1}
    with pytest.raises(ValueError, match="what --example has after @ must be x,y .*got '1'"):
        teach_examples(predictor, [f'gizmo={picture}@1'])


def test_what_was_shown_is_known_on_another_image(predictor, scene):
    image, boxes = scene
    shown = predictor.teach('my gizmo', [middle(boxes[0])])
    assert len(shown) == 1 and predictor.taught_names == {'my gizmo': 1}
    assert predictor.vocabulary.names == ('cat', 'dog', 'my gizmo')
    predictor.set_image(np.ascontiguousarray(image[:, ::-1]))
    found = predictor.predict([[[256 - x, y]] for x, y in map(middle, boxes)])
    assert found.labels[0] == 'my gizmo' and found.label_scores[0] > found.label_scores[1]


def test_several_examples_at_once_and_by_masks(predictor, scene):
    image, boxes = scene
    masks = np.zeros((2, 256, 256), bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes):
        mask[top:bottom, left:right] = True
    by_mask = predictor.teach('thing', masks=masks)
    by_point = predictor.teach('thing', [[middle(box)] for box in boxes[:2]])
    assert predictor.taught_names == {'thing': 4}
    assert np.array_equal(by_mask.masks, masks)
    np.testing.assert_allclose(by_mask.region_embeddings, by_point.region_embeddings, atol=0.05)


def test_what_was_taught_stays_with_another_vocabulary(predictor, scene):
    predictor.teach('my gizmo', [middle(scene[1][0])])
    predictor.set_vocabulary(['pen', 'cup'])
    assert predictor.vocabulary.names == ('pen', 'cup', 'my gizmo')
    assert predictor.predict([middle(scene[1][0])]).labels == ['my gizmo']


def test_another_vocabulary_that_fails_changes_nothing(predictor, scene, monkeypatch):
    predictor.teach('my gizmo', [middle(scene[1][0])])
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match='out of memory'):
        patch.setattr(predictor.model, 'bank', Mock(side_effect=RuntimeError('out of memory')))
        predictor.set_vocabulary(['pen', 'cup'])
    assert predictor.vocabulary.names == ('cat', 'dog', 'my gizmo')
    assert predictor.taught_names == {'my gizmo': 1}


def test_find_and_everything_know_it(predictor, scene):
    predictor.teach('my gizmo', [middle(scene[1][0])])
    settings = dict(points_per_side=8, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    found = predictor.find('my gizmo', threshold=0.5, **settings)
    assert set(found.labels) == {'my gizmo'}
    assert any(np.abs(box - scene[1][0]).max() < 8 for box in found.boxes)
    assert 'my gizmo' in predictor.everything(**settings).labels


def test_a_file(predictor, scene, tmp_path):
    predictor.teach('my gizmo', [middle(scene[1][0])])
    predictor.save_names(tmp_path / 'names.safetensors')
    other = OVSAMPredictor(predictor.model, vocabulary=['pen', 'cup'])
    other.load_names(tmp_path / 'names.safetensors')
    other.set_image(scene[0])
    assert other.predict([middle(scene[1][0])]).labels == ['my gizmo']
    header, columns = read_columns(tmp_path / 'names.safetensors', KIND, '', 'pt')
    for name, column in columns.items():
        for wrong in (column[:0], column[..., None]):
            save_file({**columns, name: wrong}, tmp_path / 'other.safetensors', header)
            with pytest.raises(ValueError, match='not those of 1 names'):
                other.load_names(tmp_path / 'other.safetensors')


@pytest.mark.parametrize(
    ('how', 'message'),
    [
        (dict(point_coords=[[300, 20]]), 'outside'),
        (dict(masks=np.zeros((256, 256), bool)), 'is empty'),
        (dict(masks=np.ones((10, 10), bool)), 'must be'),
        (dict(masks=np.ones((256, 256), bool), boxes=[1, 2, 3, 4]), 'not both'),
        (dict(), 'give point_coords'),
    ],
)
def test_bad_examples_change_nothing(predictor, how, message):
    with pytest.raises(ValueError, match=message):
        predictor.teach('thing', **how)
    assert predictor.taught_names == {} and predictor.vocabulary.names == ('cat', 'dog')


def test_nothing_is_learned_from_prompts_at_nothing(predictor, scene, monkeypatch):
    segment = predictor.model.segment
    monkeypatch.setattr(
        predictor.model, 'segment', lambda *args: (-abs(segment(*args)[0]), segment(*args)[1])
    )
    with pytest.raises(ValueError, match="finds nothing to learn 'thing' from at prompt 0 of 1"):
        predictor.teach('thing', [middle(scene[1][0])])
    assert predictor.taught_names == {} and predictor.vocabulary.names == ('cat', 'dog')


def test_a_name_with_nothing_to_read(predictor, scene):
    with pytest.raises(ValueError, match='empty'):
        predictor.teach('  ', [middle(scene[1][0])])


def test_a_model_that_cannot_be_taught(predictor, scene, monkeypatch):
    monkeypatch.setitem(predictor.model._modules, 'example_space', None)
    predictor.set_vocabulary(['cat', 'dog'])
    with pytest.raises(ValueError, match='tools/fit_examples.py'):
        predictor.teach('thing', [middle(scene[1][0])])
