from pathlib import Path

import pytest

from ovsam.benchmarks.methods import SMALL_WORLD, collect_methods

MINI = Path(__file__).parents[2] / 'configs' / 'mini'


def test_a_folder_without_configs(tmp_path):
    with pytest.raises(FileNotFoundError, match='no configs that evaluate'):
        collect_methods([tmp_path])


def test_the_small_world(monkeypatch):
    methods = collect_methods([MINI])
    assert [method.name for method in methods] == list(SMALL_WORLD)
    assert [method.prompts for method in methods] == ['boxes'] * 7 + ['centre points'] * 7


def test_a_folder_gives_what_does_not_train():
    names = [method.name for method in collect_methods([MINI.parent / 'sam2clip'])]
    assert 'sam2clip_RN50x16_coco_box' in names
    assert 'sam2clip_RN50x16' not in names


def test_a_folder_of_two_data_sets():
    with pytest.raises(ValueError, match=r'coco_box.py and .*lvis_box.py cannot be compared'):
        collect_methods([MINI.parent / 'baselines'])


def test_titles(methods):
    named = methods('ovsam_box', 'image_crop_box', names=['OVSAM', 'crop'])
    assert [method.name for method in named] == ['OVSAM', 'crop']
    assert named[1].path == MINI / 'image_crop_box.py'


@pytest.mark.parametrize(
    ('stems', 'names', 'message'),
    [
        (['ovsam_box', 'image_crop_box', 'ovsam_box'], None, r'more than once: .*ovsam_box\.py'),
        (['ovsam_box', 'image_crop_box'], ['OVSAM'], 'got 1 names for 2 configs'),
        (['ovsam_box', 'image_crop_box'], ['OVSAM', 'OVSAM'], 'names must differ'),
        (
            ['ovsam_box', 'clip_test_split'],
            None,
            r'clip_test_split.py cannot be compared, their test '
            'data differ: ann_file is .*test.json.* in one',
        ),
        (
            ['ovsam_box', 'image_crop_box_all_names'],
            None,
            'choose from 57 and 818 names, of which 57 are the same',
        ),
    ],
)
def test_what_cannot_be_compared(methods, stems, names, message):
    with pytest.raises(ValueError, match=message):
        methods(*stems, names=names)


def test_other_metrics_cannot_be_compared(methods, tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(
        f"_base_ = ['{MINI}/ovsam_box.py']\ntest_evaluator = dict(size_limits=(8, 16))\n"
    )
    with pytest.raises(ValueError, match=r'metric differ: size_limits is null in one, \[8, 16\]'):
        collect_methods([MINI / 'image_crop_box.py', mine])


@pytest.mark.parametrize(
    ('key', 'what'),
    [('test_evaluator', 'metric'), ('test_dataloader', 'test data'), ('model', 'model')],
)
def test_a_config_that_lacks_something(tmp_path, key, what):
    mine = tmp_path / 'mine.py'
    mine.write_text(f"_base_ = ['{MINI}/ovsam_box.py']\n{key} = None\n")
    with pytest.raises(ValueError, match=f'mine.py names no {what}: set {key} = '):
        collect_methods([mine])


def test_a_masks_only_model_stands_beside_those_that_name(methods):
    """SAM has no vocabulary; its data set differs in the names, not in the scenes."""
    assert len(methods('ovsam_box', 'sam_box')) == 2


def types(method):
    return [metric['type'] for metric in method.evaluators()]


def test_masks_that_are_prompted_and_named_have_an_average_precision(methods, small_world):
    (method,) = methods('image_crop_box')
    *own, added = method.evaluators()
    assert own == [method.cfg.test_evaluator]
    assert added == dict(
        type='VocabularyCocoMetric', metric='segm', ann_file=f'{small_world}/annotations/test.json'
    )
    assert types(method) == ['OpenVocabularyMetric', 'VocabularyCocoMetric']


@pytest.mark.parametrize(
    ('stem', 'options'),
    [
        ('sam_box', {}),  # without names
        ('detected_agnostic', {}),  # with a metric of its own
        ('image_crop_box', {'test_evaluator.prediction_classes': 'coco'}),
        ('image_crop_box', {'test_evaluator': [dict(type='CocoMetric', metric='segm')]}),
        ('image_crop_box', {'test_dataloader.dataset.type': 'OpenVocabularyLVISDataset'}),
    ],
)
def test_no_average_precision_is_added(methods, stem, options):
    (method,) = methods(stem, options=options)
    given = method.cfg.test_evaluator
    assert method.evaluators() == (given if isinstance(given, list) else [given])


def test_fingerprints_tell_configs_and_files_apart(methods, tmp_path, monkeypatch):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path))

    def fingerprint(**options):
        return methods('ovsam_box', options=options)[0].fingerprint

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(**{'model.chunk_size': 3}) != first
    (tmp_path / 'clip2sam_joint.pth').write_bytes(b'weights')
    second = fingerprint()
    (tmp_path / 'clip2sam_joint.pth').write_bytes(b'others.')
    assert len({first, second, fingerprint()}) == 3
