"""Names that are one text to the shipped miniature: each would take a share of one score."""

import numpy as np
import pytest

from ovsam.apis import OVSAMPredictor
from ovsam.datasets.pictograms.glyphs import pictogram_names
from ovsam.datasets.pictograms.renderer import render_crop


@pytest.fixture(scope='module')
def predictor():
    """With a picture of a cat."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv('OVSAM_MINI_WEIGHTS', raising=False)
        made = OVSAMPredictor('mini', vocabulary=['cat', 'dog'], device='cpu')
    made.set_image(
        render_crop(
            np.random.default_rng(0), pictogram_names().index('cat'), 128, difficulty=0.0
        ).image
    )
    return made


def scores(predictor):
    found = predictor.predict(boxes=[[4, 4, 124, 124]])
    return dict(zip(found.top_names[0], found.top_scores[0]))


def test_one_name(predictor):
    predictor.set_vocabulary('cat,')
    assert set(scores(predictor)) == {'cat'}


@pytest.mark.parametrize(
    ('names', 'said'),
    [
        (['cat', 'Cat', 'dog'], "1 of the names .*'Cat' = 'cat'"),
        ('cat，CAT；dog', "'CAT' = 'cat'"),
        (['cat', 'dog', 'ｃａｔ', 'cat\u200b', 'Dog'], "'ｃａｔ' = 'cat', 'Dog' = 'dog'"),
        ({'cat': [], 'CAT': ['Cat'], 'dog': []}, "'CAT' = 'cat'"),
    ],
)
def test_a_name_twice_scores_as_it_does_once(predictor, names, said):
    # Two names that are one text share its probability: 0.95 became 0.49 and 0.49.
    predictor.set_vocabulary(['cat', 'dog'])
    once = scores(predictor)
    assert once['cat'] > 0.5
    with pytest.warns(UserWarning, match=said):
        predictor.set_vocabulary(names)
    assert predictor.vocabulary.names == ('cat', 'dog') == predictor.label_names
    assert scores(predictor) == once


def test_composed_and_decomposed_letters_are_one_name(predictor):
    with pytest.warns(UserWarning, match='more than once'):
        predictor.set_vocabulary(['caf\u00e9', 'cafe\u0301', 'dog'])
    assert predictor.vocabulary.names == ('caf\u00e9', 'dog')


def test_the_first_spelling_stays_and_is_seen_as_any(predictor):
    trained = predictor.model.vocabulary
    seen = trained.names[trained.seen.argmax()]
    given = [seen.upper(), 'no such thing', seen]
    with pytest.warns(UserWarning, match='1 of the names'):
        predictor.set_vocabulary(given)
    assert predictor.vocabulary.names == (seen.upper(), 'no such thing')
    assert predictor.vocabulary.seen.tolist() == [True, False]
    assert predictor.vocabulary.label_map(given).tolist() == [0, 1, 0]


def test_long_names_are_cut_alike(predictor):
    long = 'cat ' * 14
    with pytest.warns(UserWarning, match='1 of the names are others again'):
        predictor.set_vocabulary(['dog', long + 'on a mat', long + 'on a hill'])
    assert predictor.vocabulary.names == ('dog', long + 'on a mat')
    with pytest.warns(UserWarning, match=r'1 of the texts of names are cut: .* reads 10 tokens'):
        scores(predictor)
