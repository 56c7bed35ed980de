"""Names that count, beside the classes of the data set."""

import pytest

from ovsam.evaluation import EverythingMetric, OpenVocabularyMetric

VOCABULARY = dict(names=['cat', 'umbrela'], split=dict(base=['cat'], novel=['umbrela']))


@pytest.fixture
def logged(monkeypatch):
    lines = []
    for module in ('group_metric', 'open_vocabulary_metric'):
        monkeypatch.setattr(
            f'ovsam.evaluation.{module}.print_log', lambda line, *_: lines.append(line)
        )
    return lines


@pytest.mark.parametrize('kind', [EverythingMetric, OpenVocabularyMetric])
def test_no_classes_and_the_same_ones(kind, logged):
    metric = kind(vocabulary=VOCABULARY)
    for meta in ({}, dict(classes=()), dict(classes=('cat', 'umbrela', 'fox'))):
        metric.dataset_meta = meta
        assert metric.dataset_meta is meta
    assert logged == []


@pytest.mark.parametrize('kind', [EverythingMetric, OpenVocabularyMetric])
def test_a_class_missed_by_a_slip(kind, logged):
    metric = kind(vocabulary=VOCABULARY)
    with pytest.raises(ValueError, match="counts 'umbrela', .* not its class 'umbrella'"):
        metric.dataset_meta = dict(classes=('cat', 'umbrella'))
    metric.dataset_meta = dict(classes=('cat', 'umbrella'), left_out=('umbrella',))
    metric.dataset_meta = dict(classes=('cat',))
    assert logged == [
        f'{kind.__name__}: 1 of the 2 names that count are not among the {count} '
        'classes of the data set: umbrela'
        for count in (2, 1)
    ]


def test_names_that_cannot_be_predicted_are_said(logged):
    OpenVocabularyMetric(vocabulary=VOCABULARY, prediction_classes=['cat', 'dog'])
    assert logged == [
        '1 of the 2 names that count are never right, for prediction_classes lack them: umbrela'
    ]
