"""A label that means two names is noticed before the first step."""

import json
from types import SimpleNamespace

import pytest
from mmdet.evaluation import CocoMetric, DumpDetResults, DumpProposals
from torch import nn

from ovsam.engine.same_names_hook import SameNamesHook
from ovsam.evaluation import (
    ClickMetric,
    DumpDetections,
    OpenVocabularyMetric,
    VocabularyCocoMetric,
)
from ovsam.vocabulary import Vocabulary

NAMES = ['cat', 'traffic light', 'dog']


class Model(nn.Module):
    def __init__(self, names=NAMES, **attributes):
        super().__init__()
        self.vocabulary = None if names is None else Vocabulary(names, aliases={'dog': ['hound']})
        for name, value in attributes.items():
            setattr(self, name, value)


def runner(model=None, classes=NAMES, metrics=None, val=None):
    loader, val_loader = (
        SimpleNamespace(dataset=SimpleNamespace(metainfo=dict(classes=each)))
        for each in (classes, val)
    )
    evaluator = SimpleNamespace(metrics=metrics or [OpenVocabularyMetric(base=['cat'])])
    return SimpleNamespace(
        model=model or Model(),
        train_dataloader=loader,
        test_dataloader=loader,
        val_dataloader=val_loader,
        val_loop=val,
        test_evaluator=evaluator,
        val_evaluator=evaluator,
    )


OTHERS = {
    'another order': (
        ['cat', 'dog', 'traffic light'],
        "3, and label 1 means 'traffic light' .* 'dog'",
    ),
    'one more': ([*NAMES, 'owl'], "4, and label 3 means nothing .* 'owl'"),
    'one less': (NAMES[:2], "2, and label 2 means 'dog' in the one and nothing in the other"),
}


@pytest.mark.parametrize('case', OTHERS)
def test_other_names_are_refused(case):
    classes, message = OTHERS[case]
    with pytest.raises(ValueError, match=rf'train_dataloader\.dataset has {message}'):
        SameNamesHook().before_train(runner(classes=classes))
    with pytest.raises(ValueError, match=rf'val_dataloader\.dataset has {message}'):
        SameNamesHook().before_train(runner(val=classes))
    with pytest.raises(ValueError, match=f'test_dataloader.dataset has {message}.*prediction_cl'):
        SameNamesHook().before_test(runner(classes=classes))


@pytest.mark.parametrize(
    'same',
    [
        runner(),
        runner(classes=['Cat', 'traffic_light', 'hound']),
        runner(Model(None), classes=['owl']),
        runner(classes=()),
        runner(classes=['owl'], metrics=[ClickMetric()]),
        runner(Model(None, vocabulary=['cat']), classes=['owl']),
        runner(
            classes=['owl'],
            metrics=[
                OpenVocabularyMetric(base=['cat'], prediction_classes=NAMES),
                DumpDetections('a.json', classes=NAMES),
            ],
        ),
    ],
    ids=[
        'equal',
        'spelling',
        'no names',
        'no classes',
        'no labels read',
        'a vocabulary of another kind',
        'told',
    ],
)
def test_what_means_the_same_passes(same):
    SameNamesHook().before_test(same)


def test_what_writes_results_down_compares_nothing(tmp_path):
    metrics = [DumpDetResults('a.pkl'), DumpProposals(str(tmp_path))]
    SameNamesHook().before_test(runner(classes=['owl'], metrics=metrics))


def test_each_of_several_data_sets_is_compared():
    """mmdet's ``ConcatDataset`` has a list where their metainfo differs."""
    several = runner(val=NAMES)
    first, second = dict(classes=NAMES), dict(classes=NAMES, palette=None)
    several.train_dataloader.dataset.metainfo = [first, second]
    SameNamesHook().before_train(several)
    second['classes'] = ['owl']
    with pytest.raises(ValueError, match='train_dataloader.dataset has 1'):
        SameNamesHook().before_train(several)


def test_a_training_without_names_reads_no_labels():
    SameNamesHook().before_train(runner(Model(label_loss=None), classes=['owl']))
    with pytest.raises(ValueError, match="means 'cat' in the one and 'owl' in the other"):
        SameNamesHook().before_train(runner(Model(label_loss=nn.Identity()), classes=['owl']))


def test_prediction_classes_of_another_model():
    metric = OpenVocabularyMetric(base=['cat'], prediction_classes=['cat', 'owl'])
    with pytest.raises(ValueError, match='prediction_classes of test_evaluator has 2'):
        SameNamesHook().before_test(runner(metrics=[metric]))


def test_mmdet_counts_labels_in_the_order_of_the_file(tmp_path):
    """Whatever the order of the data set's classes is."""
    path, categories = tmp_path / 'a.json', [dict(id=i, name=name) for i, name in enumerate(NAMES)]
    path.write_text(json.dumps(dict(images=[], annotations=[], categories=categories[::-1])))
    ours, theirs = (
        runner(metrics=[metric(ann_file=str(path))])
        for metric in (VocabularyCocoMetric, CocoMetric)
    )
    SameNamesHook().before_test(ours)
    with pytest.raises(ValueError, match="test_evaluator has 3, .* 'dog' .*VocabularyCocoMetric"):
        SameNamesHook().before_test(theirs)
    path.write_text(json.dumps(dict(images=[], annotations=[], categories=categories)))
    SameNamesHook().before_test(runner(metrics=[CocoMetric(ann_file=str(path))]))
