"""What regions look like, as users compare them."""

import numpy as np
import pytest
import torch

from ovsam.apis import OVSAMPredictor


@pytest.fixture
def predictor(model, scene):
    predictor = OVSAMPredictor(model, vocabulary=['cat', 'dog', 'red square'])
    predictor.set_image(scene[0])
    return predictor


@pytest.mark.parametrize('nothing', [{'masks': np.zeros((0, 256, 256), bool)}, {'boxes': []}])
def test_no_regions(predictor, nothing):
    features = predictor.region_features(**nothing)
    assert {name: rows.shape for name, rows in features.items()} == {
        'head': (0, 128),
        'clip': (0, 128),
    }


def test_they_are_what_names_are_compared_with(predictor, scene):
    found = predictor.predict(boxes=scene[1])
    features = predictor.region_features(boxes=scene[1])
    assert list(features) == ['head', 'clip']
    for place, rows in enumerate(features.values()):
        assert rows.dtype == np.float32 and rows.flags['C_CONTIGUOUS']
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert np.array_equal(rows, found.region_embeddings[:, place].numpy())
    assert all(
        np.array_equal(rows, features[name]) for name, rows in predictor.features_of(found).items()
    )


def test_with_the_bank_they_give_the_scores_of_predict(predictor, scene):
    found = predictor.predict(boxes=scene[1], top_k=3)
    embeddings = map(torch.from_numpy, predictor.region_features(boxes=scene[1]).values())
    scores, labels = predictor.model.name(tuple(embeddings), predictor.bank, k=3)
    np.testing.assert_allclose(scores.exp().numpy(), found.top_scores, rtol=1e-5)
    names = predictor.vocabulary.names
    assert [tuple(names[label] for label in row) for row in labels] == found.top_names


def test_points_and_masks(predictor, scene):
    left, top, right, bottom = scene[1][0]
    middle = [[(left + right) / 2, (top + bottom) / 2]]
    (by_point,) = predictor.predict(middle).region_embeddings[:, 1].numpy()
    assert np.array_equal(predictor.region_features(middle, [1])['clip'][0], by_point)
    mask = np.zeros((256, 256), bool)
    mask[top:bottom, left:right] = True
    by_mask = predictor.region_features(masks=mask)['clip']
    by_box = predictor.region_features(boxes=scene[1][0])['clip']
    np.testing.assert_allclose(by_mask, by_box, atol=1e-4)


def test_a_head_that_names_alone_has_one_opinion(predictor, model, scene, monkeypatch):
    monkeypatch.setitem(model._modules, 'score_fusion', None)
    assert list(predictor.region_features(boxes=scene[1])) == ['head']


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({}, 'give point_coords, boxes or both'),
        (dict(point_labels=[1]), 'point_labels belong to point_coords'),
        (dict(boxes=[300, 300, 400, 400]), '300'),
        (dict(masks=np.zeros((256, 256), bool)), 'is empty'),
        (dict(masks=np.full((256, 256), 0.02)), 'compare probabilities with 0.5'),
        (dict(masks=np.ones((20, 20), bool)), 'of the image'),
        (dict(masks=np.ones((256, 256), bool), boxes=[0, 0, 9, 9]), 'not both'),
        (dict(masks=np.ones((256, 256), bool), point_labels=[1]), 'not both'),
    ],
)
def test_what_is_no_region(predictor, given, message):
    with pytest.raises(ValueError, match=message):
        predictor.region_features(**given)


def test_without_an_image_or_names(predictor, random_sam, scene):
    predictor.reset()
    with pytest.raises(RuntimeError, match='call set_image first'):
        predictor.region_features(boxes=[0, 0, 9, 9])
    unnamed = OVSAMPredictor(random_sam)
    unnamed.set_image(scene[0])
    with pytest.raises(ValueError, match='SAM gives masks without names'):
        unnamed.region_features(boxes=[0, 0, 9, 9])
