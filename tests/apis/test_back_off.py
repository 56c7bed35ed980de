"""More general names in predictions."""

import numpy as np
import pytest
import torch

from ovsam.apis import BackOff, OVSAMPredictor, Prediction
from ovsam.vocabulary import Vocabulary, WordNetHierarchy
from ovsam_onnx import NONE_LABEL

NAMES = ['collie', 'poodle', 'cup']


@pytest.fixture
def hierarchy():
    parents = {
        'entity': (),
        'dog': ('entity',),
        'collie': ('dog',),
        'poodle': ('dog',),
        'cup': ('entity',),
    }
    # So deep that no level is too general.
    parents = {
        **{f'level {n}': (f'level {n - 1}',) if n else () for n in range(4)},
        **parents,
        'entity': ('level 3',),
    }
    return WordNetHierarchy(parents, {synset: (synset,) for synset in parents})


@pytest.fixture
def predictor(model, hierarchy, monkeypatch):
    """What names there are is as likely as the test says."""
    predictor = OVSAMPredictor(model, vocabulary=NAMES, back_off=BackOff(0.5, hierarchy))
    predictor.set_image(np.zeros((60, 90, 3), np.uint8))
    shares = torch.tensor([0.4, 0.35, 0.2, 0.05])
    monkeypatch.setattr(
        model, 'log_scores', lambda embeddings, bank: shares.log().expand(len(embeddings[0]), -1)
    )
    return predictor


def test_no_prompts(predictor):
    found = predictor.name(predictor.predict([[10, 10]]).select([]))
    assert found.labels == [] and found.leaves == []


def test_a_doubtful_collie_is_a_dog(predictor):
    found = predictor.predict([[10, 10]])
    assert found.labels == ['dog']
    assert found.label_scores.tolist() == [pytest.approx(0.75)]
    assert found.leaves == [(('collie', pytest.approx(0.4)), ('poodle', pytest.approx(0.35)))]
    assert found.top_names == [('collie', 'poodle', 'cup')]
    assert set(predictor.label_names) == {*NAMES, 'dog', 'entity', NONE_LABEL}


def test_it_can_be_turned_off_and_on(predictor):
    back_off, predictor.back_off = predictor.back_off, None
    found = predictor.predict([[10, 10]])
    assert found.labels == ['collie'] and found.leaves is None
    assert predictor.label_names == tuple(NAMES)
    predictor.back_off = back_off
    assert predictor.name(found).labels == ['dog']
    assert predictor.find('poodle', 0.0, among=found).leaves is None  # which asks for one name


def test_two_vocabularies_at_once(hierarchy):
    one, other = Vocabulary(NAMES), Vocabulary(NAMES[1:])

    class Interrupted(BackOff):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if getattr(value, 'vocabulary', None) is one:
                self.of(other)  # in another thread

    assert Interrupted(0.5, hierarchy).of(one).vocabulary is one


def test_a_threshold_is_enough(predictor):
    predictor.back_off = np.float32(0.5)
    assert predictor.back_off.threshold == 0.5
    with pytest.raises(ValueError, match='must be in'):
        predictor.back_off = 2


def test_none_of_these(predictor):
    assert predictor.predict([[10, 10]], none_threshold=0.8).labels == [NONE_LABEL]
    predictor.back_off = BackOff(1.0, predictor.back_off.hierarchy)
    found = predictor.predict([[10, 10]])
    assert found.labels == [NONE_LABEL] and found.leaves == [()]
    assert found.label_scores.tolist() == [pytest.approx(0.4)]


def test_records_keep_the_leaves(predictor):
    found = predictor.predict([[10, 10]])
    (annotation,) = found.to_coco()
    assert annotation['category_name'] == 'dog'
    assert annotation['leaves'][0] == ['collie', pytest.approx(0.4)]
    again = Prediction.from_coco([annotation], (60, 90))
    assert again.labels == ['dog'] and again.leaves == found.leaves
    sample = found.to_data_sample(predictor.label_names)
    assert sample.classes[int(sample.pred_instances.labels[0])] == 'dog'
    twice = Prediction.cat([found, found]).select([1])
    assert twice.leaves == found.leaves


def test_another_vocabulary_is_linked_anew(predictor):
    assert 'dog' in predictor.label_names
    predictor.set_vocabulary(['cup', 'dog'])
    assert predictor.back_off.of(predictor.vocabulary).linked == 2


@pytest.mark.parametrize('wrong', [0.0, -1, 1.5])
def test_thresholds_out_of_range(model, wrong):
    with pytest.raises(ValueError, match=r'must be in \(0, 1\]'):
        OVSAMPredictor(model, back_off=wrong)


def test_no_wordnet(model, tmp_path, monkeypatch):
    monkeypatch.setenv('WNSEARCHDIR', str(tmp_path))
    predictor = OVSAMPredictor(model, vocabulary=NAMES, back_off=0.5)
    predictor.set_image(np.zeros((60, 90, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match='wordnet-base'):
        predictor.predict([[10, 10]])
