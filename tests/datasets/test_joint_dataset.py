"""Sources with masks, with boxes, and with a class an image, as one data set."""

import json

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope

from ovsam.datasets import JointDataset
from ovsam.vocabulary import (
    build_vocabulary,
    imagenet_synsets,
    lvis_split_vocabulary,
    merge,
)

SQUARE = [[2, 2, 12, 2, 12, 12, 2, 12]]
LOAD = dict(type='LoadAnnotatedImage')
BOXES = dict(type='LoadAnnotations', with_bbox=True)
MASKS = dict(BOXES, with_mask=True)
PACK = dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'judged_labels'))
NAMES = dict(
    type='MergedVocabulary',
    vocabularies=[
        'cat,dog',
        ['Dog', 'sea lion'],
        dict(names=['bat (animal)', 'cat'], aliases={'bat (animal)': ['n02139199']}),
    ],
)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


def write_image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))


@pytest.fixture
def detections(tmp_path):
    """Writes a detection source of one image, whose id is 1, with an object of each category."""

    def write(name, categories, pipeline, kind='CocoDataset', masks=False, image=None, **kwargs):
        folder = tmp_path / name
        write_image(folder / 'images/1.png')
        numbers = {category: 10 + place for place, category in enumerate(categories)}
        annotations = [
            dict(
                id=number,
                image_id=1,
                category_id=number,
                bbox=[2, 2, 10, 10],
                area=100,
                iscrowd=0,
                **(dict(segmentation=SQUARE) if masks else {}),
            )
            for number in numbers.values()
        ]
        (folder / 'ann.json').write_text(
            json.dumps(
                dict(
                    images=[dict(image or {}, id=1, height=20, width=30, file_name='1.png')],
                    categories=[
                        dict(id=number, name=category) for category, number in numbers.items()
                    ],
                    annotations=annotations[: kwargs.pop('objects', len(annotations))],
                )
            )
        )
        return dict(
            name=name,
            weight=1,
            dataset=dict(
                type=kind,
                data_root=str(folder),
                ann_file='ann.json',
                data_prefix=dict(img='images/'),
                pipeline=pipeline,
                **kwargs,
            ),
        )

    return write


@pytest.fixture
def scenes(detections):
    return detections(
        'scenes',
        ['dog', 'cat'],
        [LOAD, MASKS, PACK],
        'OpenVocabularyCocoDataset',
        masks=True,
        vocabulary='cat,dog',
    )


@pytest.fixture
def boxes(detections):
    return detections(
        'boxes',
        ['sea_lion', 'Dog'],
        [LOAD, BOXES, PACK],
        metainfo=dict(classes=('sea_lion', 'Dog')),
    )


@pytest.fixture
def pictures(tmp_path):
    for folder in ('cat', 'n02139199'):
        write_image(tmp_path / 'pictures' / folder / '1.png')
    return dict(
        name='pictures',
        weight=2,
        dataset=dict(
            type='mmpretrain.CustomDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='pictures/'),
            pipeline=[LOAD, dict(type='WholeImageRegion'), PACK],
        ),
    )


def joint(*sources, vocabulary=NAMES):
    return DATASETS.build(dict(type='JointDataset', sources=list(sources), vocabulary=vocabulary))


def test_nothing_to_join():
    with pytest.raises(ValueError, match='at least one source'):
        joint()


def test_labels_are_places_in_the_joint_vocabulary(scenes, boxes, pictures):
    dataset = joint(scenes, boxes, pictures)
    names = dataset.metainfo['classes']
    assert names == ('cat', 'dog', 'sea lion', 'bat (animal)')
    found = [dataset[place]['data_samples'].gt_instances for place in range(len(dataset))]
    assert [[names[label] for label in each.labels] for each in found] == [
        ['dog', 'cat'],
        ['sea lion', 'dog'],
        ['cat'],
        ['bat (animal)'],
    ]
    assert ['masks' in each for each in found] == [True, False, False, False]
    assert found[2].bboxes.tensor.tolist() == [[0, 0, 30, 20]]
    for outside in (-1, 4):
        with pytest.raises(IndexError):
            dataset[outside]


def test_equal_ids_of_two_sources_become_distinct(scenes, boxes, pictures):
    dataset = joint(scenes, boxes, pictures)
    marks = [dataset[place]['data_samples'].metainfo for place in range(4)]
    assert [mark['source'] for mark in marks] == ['scenes', 'boxes', 'pictures', 'pictures']
    assert [mark['img_id'] for mark in marks[:2]] == ['scenes/1', 'boxes/1']
    # Pictures have no ids: their paths stand in.
    assert marks[2]['img_id'].startswith('pictures/') and marks[2]['img_id'] != marks[3]['img_id']
    assert marks[2]['img_id'].endswith('cat/1.png')


def test_all_classes_of_a_source_are_judged_and_none_of_others(scenes, boxes, pictures):
    dataset = joint(scenes, boxes, pictures)
    assert [
        dataset[place]['data_samples'].metainfo['judged_labels'].tolist() for place in range(3)
    ] == [[0, 1], [1, 2], [0, 3]]


def test_what_lvis_judges_is_told_for_each_image(detections, boxes):
    """Objects of two categories; one is not exhaustive, and a third was looked for in vain."""
    names = lvis_split_vocabulary().names
    lvis = detections(
        'lvis',
        names,
        [LOAD, MASKS, PACK],
        'OpenVocabularyLVISDataset',
        masks=True,
        objects=2,
        vocabulary=dict(type='LVISSplitVocabulary'),
        image=dict(neg_category_ids=[10 + 700], not_exhaustive_category_ids=[10]),
    )
    dataset = joint(
        boxes,
        lvis,
        vocabulary=dict(
            type='MergedVocabulary',
            vocabularies=[['sea lion', 'Dog'], lvis['dataset']['vocabulary']],
        ),
    )
    sample = dataset[1]['data_samples']
    classes = dataset.metainfo['classes']
    assert [classes[label] for label in sample.gt_instances.labels] == list(names[:2])
    assert {classes[label] for label in sample.judged_labels} == {names[1], names[700]}
    assert {classes[label] for label in dataset[0]['data_samples'].judged_labels} == {
        'sea lion',
        'Dog',
    }


def test_lvis_files_without_these_lists_judge_all_their_names(detections):
    lvis = detections(
        'lvis',
        lvis_split_vocabulary().names,
        [LOAD, MASKS, PACK],
        'OpenVocabularyLVISDataset',
        masks=True,
        objects=1,
        vocabulary=dict(type='LVISSplitVocabulary', group='base'),
    )
    dataset = joint(lvis, vocabulary=dict(type='LVISSplitVocabulary'))
    assert len(dataset[0]['data_samples'].judged_labels) == 866


def test_classes_may_be_given(pictures):
    """Labels of a list of files mean nothing by themselves."""
    pictures['classes'] = ['cat', 'sea_lion']
    dataset = joint(pictures)
    assert [dataset[place]['data_samples'].gt_instances.labels.tolist() for place in (0, 1)] == [
        [0],
        [2],
    ]
    pictures['classes'] = dict(type='ImageNetSynsets', subset='imagenet-1k')
    assert joint(pictures, vocabulary='imagenet1k')[0]['data_samples'].gt_instances.labels == 0


def test_every_label_of_imagenet_has_its_name():
    labels = build_vocabulary('imagenet1k').label_map(imagenet_synsets())
    assert len(labels) == 1000 and len(set(labels.tolist())) == 999


def test_too_few_classes(pictures):
    pictures['classes'] = ['cat']
    with pytest.raises(ValueError, match="'pictures' has labels from 1 to 1, but 1 classes"):
        joint(pictures)[1]


@pytest.mark.parametrize(
    ('change', 'fault'),
    [
        (dict(weight=0), "weight of source 'scenes' is 0"),
        (dict(weight=-1), 'positive number'),
        (dict(weight=float('nan')), 'positive number'),
        (dict(weight='1'), 'positive number'),
        (dict(wieght=1), r'has wieght, which'),
    ],
)
def test_a_source_that_is_not_one(scenes, change, fault):
    with pytest.raises(ValueError, match=fault):
        joint({**scenes, **change})


def test_a_key_is_missing(scenes):
    del scenes['weight']
    with pytest.raises(ValueError, match=r'source 0 lacks weight and has none'):
        joint(scenes)


def test_two_sources_of_one_name(scenes, boxes):
    with pytest.raises(ValueError, match=r'got scenes more than once'):
        joint(scenes, dict(boxes, name='scenes'))


def test_classes_that_the_vocabulary_does_not_have(scenes, boxes):
    with pytest.raises(ValueError, match=r"classes of source 'boxes': .*'sea_lion'.*Merge"):
        joint(scenes, boxes, vocabulary='cat,dog')


def test_a_source_without_samples(detections):
    empty = detections(
        'empty',
        ['cat'],
        [LOAD, MASKS, PACK],
        'CocoDataset',
        objects=0,
        metainfo=dict(classes=('cat',)),
        filter_cfg=dict(filter_empty_gt=True),
    )
    with pytest.raises(ValueError, match="'empty' has no samples"):
        joint(empty)


def test_folders_without_pictures(tmp_path, pictures):
    for path in (tmp_path / 'pictures').rglob('*.png'):
        path.unlink()
    with pytest.raises(ValueError, match="'pictures' cannot be used: Found 0 files"):
        joint(pictures)


def test_samples_without_instances(pictures):
    pictures['dataset']['pipeline'] = [LOAD, PACK]
    with pytest.raises(ValueError, match="'pictures' have no instances with.*WholeImageRegion"):
        joint(pictures)[0]


def test_names_that_one_text_stands_for_are_counted(monkeypatch, pictures):
    said = []
    monkeypatch.setattr(merge, 'print_log', lambda text, *_: said.append(text))
    joint(pictures)
    assert said == []
    joint(
        pictures,
        vocabulary={'cat': ['kitty'], 'kitty': [], 'puss': ['Kitty', 'cat'], 'n02139199': []},
    )
    assert len(said) == 1 and said[0].startswith('2 texts stand for several names')
    assert 'kitty (cat, kitty, puss)' in said[0]


def test_the_data_set_is_registered():
    assert DATASETS.get('JointDataset') is JointDataset
