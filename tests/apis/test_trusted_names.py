"""Probabilities of names, "none of these", synonyms."""

import numpy as np
import pytest

from ovsam.apis import OVSAMInferencer, OVSAMPredictor
from ovsam.naming.scores import TemperatureScaling
from ovsam.vocabulary import Vocabulary
from ovsam_onnx import NONE_LABEL

NAMES = ['cat', 'dog', 'sea_lion']


@pytest.fixture
def predictor(model):
    model.calibration = TemperatureScaling(2.0)
    predictor = OVSAMPredictor(model, vocabulary=NAMES)
    predictor.set_image(np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8))
    yield predictor
    model.calibration = None


@pytest.fixture
def box():
    return [[10, 5, 60, 50]]


def test_calibrated_scores_are_shares(predictor, box):
    """Of seen and unseen names together, in the order of scores as they were."""
    predictor.set_vocabulary(Vocabulary(NAMES, seen=['dog']))
    found = predictor.predict(boxes=box)
    log_scores = predictor.model.log_scores(found.region_embeddings.unbind(dim=1), predictor.bank)
    assert log_scores.exp().sum().item() == pytest.approx(1)
    assert found.top_scores.sum() <= 1 + 1e-5
    predictor.model.calibration = None
    before = predictor.name(found)
    assert before.top_names == found.top_names
    assert not np.allclose(before.top_scores, found.top_scores)


def test_none_of_these(predictor, box):
    named = predictor.predict(boxes=box)
    score = float(named.label_scores[0])
    assert predictor.predict(boxes=box, none_threshold=score * 0.999).labels == named.labels
    none = predictor.predict(boxes=box, none_threshold=min(1, score * 1.001))
    assert none.labels == [NONE_LABEL]
    # What scores just as much as is asked for is named.
    assert predictor.predict(boxes=box, none_threshold=score).labels == named.labels
    assert predictor.predict(
        boxes=box, none_threshold=np.nextafter(named.label_scores[0], np.float32(2))
    ).labels == [NONE_LABEL]
    assert none.top_names == named.top_names
    assert np.array_equal(none.label_scores, named.label_scores)
    assert none.to_coco()[0]['category_name'] == NONE_LABEL
    predictor.none_threshold = 1.0
    assert predictor.name(named).labels == [NONE_LABEL]
    assert predictor.predict(boxes=box, none_threshold=0.0).labels == named.labels


def test_the_config_may_give_the_threshold(model, monkeypatch):
    assert OVSAMPredictor(model).none_threshold == 0
    monkeypatch.setattr(model, 'none_threshold', 0.4)
    assert OVSAMPredictor(model).none_threshold == 0.4
    assert OVSAMPredictor(model, none_threshold=0.0).none_threshold == 0


@pytest.mark.parametrize('wrong', [-0.1, 1.1, float('nan')])
def test_thresholds_out_of_range_are_refused(predictor, model, box, wrong):
    with pytest.raises(ValueError, match=r'none_threshold must be in \[0, 1\]'):
        predictor.predict(boxes=box, none_threshold=wrong)
    with pytest.raises(ValueError, match=r'none_threshold must be in \[0, 1\]'):
        OVSAMPredictor(model, none_threshold=wrong)


def test_a_synonyms_score_is_its_names(predictor, box, monkeypatch):
    # Of two, each has its best text.
    monkeypatch.setitem(predictor.model._modules, 'score_fusion', None)
    predictor.set_vocabulary(['dog', 'couch', 'sofa'])
    found = predictor.predict(boxes=box)
    apart = dict(zip(found.top_names[0], found.top_scores[0]))
    predictor.set_vocabulary({'dog': [], 'couch': ['sofa']})
    together = predictor.predict(boxes=box)
    both = dict(zip(together.top_names[0], together.top_scores[0]))
    assert set(both) == {'dog', 'couch'}
    # Of the two texts the better one counts; which is second no longer takes a share.
    best = max(apart['couch'], apart['sofa'])
    assert both['couch'] / both['dog'] == pytest.approx(best / apart['dog'], rel=1e-3)


def test_a_name_is_seen_by_its_texts(predictor, model, monkeypatch):
    monkeypatch.setattr(model, 'vocabulary', Vocabulary(['cat', 'elsewhere'], seen=['cat']))
    predictor.set_vocabulary({'whatever': ['cat'], 'nothing': ['elsewhere'], 'new': []})
    assert predictor.vocabulary.seen.tolist() == [True, False, False]


def test_the_inferencer_numbers_none(random_mini):
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    inferencer = OVSAMInferencer(random_mini, vocabulary=NAMES, device='cpu')
    inferencer.predictor.none_threshold = 1.0
    inferencer.predictor.model.everything = dict(points_per_side=4)
    (found,) = inferencer(image, return_datasamples=True)['predictions']
    assert found.classes == (*NAMES, NONE_LABEL)
    assert set(found.pred_instances.labels.tolist()) <= {len(NAMES)}
