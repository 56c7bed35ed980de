"""COCO and LVIS files, sound and faulty: each fault is named, or handled as documented."""

import copy
import json
import logging

import cv2
import numpy as np
import pytest
from mmdet.registry import DATASETS
from mmengine.registry import DefaultScope

from ovsam.vocabulary import lvis_split_vocabulary

SQUARE = [[2, 2, 12, 2, 12, 12, 2, 12]]
PIPELINE = [
    dict(type='LoadAnnotatedImage'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'ori_shape')),
]


def annotation(number, **changes):
    return dict(
        dict(
            id=number,
            image_id=1,
            category_id=5,
            bbox=[2, 2, 10, 10],
            area=100,
            iscrowd=0,
            segmentation=SQUARE,
        ),
        **changes,
    )


def content(*annotations):
    return dict(
        images=[dict(id=1, height=20, width=30, file_name='1.png')],
        categories=[dict(id=5, name='dog'), dict(id=2, name='cat')],
        annotations=list(annotations),
    )


@pytest.fixture
def build(tmp_path):
    """Writes an annotation file and its image, and builds a data set on them."""
    (tmp_path / 'images').mkdir()
    cv2.imwrite(str(tmp_path / 'images/1.png'), np.zeros((20, 30, 3), np.uint8))

    def make(written, kind='OpenVocabularyCocoDataset', **kwargs):
        text = written if isinstance(written, str) else json.dumps(written)
        (tmp_path / 'ann.json').write_text(text)
        cfg = dict(
            type=kind,
            vocabulary='cat,dog,sea lion',
            data_root=str(tmp_path),
            ann_file='ann.json',
            data_prefix=dict(img='images/'),
            pipeline=PIPELINE,
            test_mode=True,
        )
        with DefaultScope.overwrite_default_scope('mmdet'):
            return DATASETS.build({**cfg, **kwargs})

    return make


def test_no_annotations(build):
    dataset = build(content())
    assert len(dataset) == 1 and len(dataset[0]['data_samples'].gt_instances) == 0


@pytest.mark.parametrize('kind', ['OpenVocabularyCocoDataset', 'ClosedVocabularyCocoDataset'])
def test_no_images(build, kind):
    with pytest.raises(ValueError, match=r'ann\.json has no image that counts: check it'):
        build({**content(), 'images': []}, kind)


def test_labels_are_places_in_the_vocabulary(build):
    dataset = build(content(annotation(1), annotation(2, category_id=2)))
    assert dataset[0]['data_samples'].gt_instances.labels.tolist() == [1, 0]


def test_categories_outside_the_vocabulary_are_left_out(build):
    dataset = build(content(annotation(1), annotation(2, category_id=2)), vocabulary='cat')
    assert dataset[0]['data_samples'].gt_instances.labels.tolist() == [0]


def test_crowd_regions_are_ignored(build):
    crowd = annotation(2, iscrowd=1, segmentation=dict(size=[20, 30], counts=[100, 50, 450]))
    sample = build(content(annotation(1), crowd))[0]['data_samples']
    assert len(sample.gt_instances) == len(sample.ignored_instances) == 1
    assert sample.ignored_instances.masks.masks.sum() == 50


@pytest.mark.parametrize('mask', [None, [], [[1, 2, 3, 4]]])
def test_instances_without_a_mask_are_ignored(build, mask):
    sample = build(content(annotation(1), annotation(2, segmentation=mask)))[0]['data_samples']
    assert len(sample.gt_instances) == len(sample.ignored_instances) == 1


def test_empty_run_lengths_are_an_empty_mask(build):
    empty = dict(size=[20, 30], counts=[600])
    found = build(content(annotation(1, segmentation=empty)))[0]['data_samples'].gt_instances
    assert len(found) == 1 and not found.masks.masks.any()


def without(kind, key):
    changed = copy.deepcopy(content(annotation(1)))
    del changed[kind][0][key]
    return changed


def outlined(segmentation):
    return content(annotation(1, segmentation=segmentation))


def masked(counts, size=(20, 30)):
    return outlined(dict(size=size, counts=counts))


@pytest.mark.parametrize(
    'written, fault',
    [
        ('[]', 'list'),
        ('{"images": [', r'ann\.json cannot be used: Expecting value'),
        (dict(images=[], annotations=[]), 'no list "categories"; it has'),
        (dict(content(), images=None), 'no list "images"'),
        (dict(content(), images=[3]), r'images\[0\] is a int'),
        (without('images', 'height'), r'images\[0\] \(id 1\) has no "height"'),
        (without('images', 'file_name'), 'has no "file_name"'),
        (without('annotations', 'bbox'), r'annotations\[0\] \(id 1\) has no "bbox"'),
        (without('annotations', 'area'), 'has no "area"'),
        (without('annotations', 'category_id'), 'has no "category_id"'),
        (without('categories', 'name'), r'categories\[0\] \(id 5\) has no "name"'),
        (content(annotation(1, category_id=9)), 'annotation 1 is of category 9'),
        (content(annotation(1, image_id=9)), 'annotation 1 is of image 9'),
        (content(annotation(1), annotation(1)), r'id in "annotations" used more than once: \[1\]'),
        (content(annotation(1, bbox=[1, 2, 3])), r'has the box \[1, 2, 3\], not four numbers'),
        (content(annotation(1, bbox=[1, 2, None, 3])), 'not four numbers'),
        (outlined(SQUARE[0]), 'polygon'),
        (outlined([SQUARE[0][:7]]), 'a polygon of 7 numbers'),
        (outlined(dict(counts='abc')), 'neither polygons nor run lengths'),
        (masked([600], [30, 20]), r'mask of .*\[30, 20\]'),
        (masked([600], 600), 'mask of .* 600, but'),
        (
            masked([100, 50]),
            r'"counts" \[100, 50\] do not add up to its 20 x 30 pixels: they make 150, not 600',
        ),
        (masked([-100, 700]), r'"counts" \[-100, 700\] have a run of -100 pixels'),
        (
            masked(''),
            r"ann\.json cannot be used: annotation 1 has a mask whose \"counts\" '' "
            r'.* make 0, not 600',
        ),
        (masked('b'), 'the text was cut off'),
        (masked(600), '"counts" 600 are neither a text nor whole numbers'),
        (masked([300, '300']), 'neither a text nor whole numbers'),
        (outlined([[2, 2, 12, '2', 12, 12]]), 'else than numbers'),
        (outlined([[2, 2, 12, float('nan'), 12, 12]]), 'else than numbers'),
        (content(annotation(1, image_id=[1])), r'has the image_id \[1\], not a number or a text'),
        (content(annotation(1, id=dict(a=1))), "has the id {'a': 1}, not a number or a text"),
        (content(annotation(1, category_id='5')), "has the category_id '5', not a whole number"),
        (
            dict(content(), categories=[dict(id='5', name='dog')]),
            r"categories\[0\] \(id 5\) has the id '5', not a whole number",
        ),
        (content(annotation(1, iscrowd='0')), "has the iscrowd '0', not 0 or 1"),
        (content(annotation(1, iscrowd=2)), 'has the iscrowd 2, not 0 or 1'),
        (content(annotation(1, area='large')), "has the area 'large', not a number"),
        (
            dict(content(), images=[dict(id=1, height='20', width=30, file_name='1.png')]),
            r"images\[0\] \(id 1\) has the height '20', not a positive number",
        ),
        (
            dict(content(), images=[dict(id=1, height=20, width=30, file_name=1)]),
            'file_name 1, not a',
        ),
        (dict(content(), categories=[dict(id=1, name=3)]), 'has the name 3, not a text'),
        (
            dict(content(), categories=[dict(id=1, name='a'), dict(id=2, name='a')]),
            r"category name used more than once: \['a'\]",
        ),
    ],
)
def test_faults_are_named(build, written, fault):
    with pytest.raises(ValueError, match=fault):
        build(written)


def test_no_category_of_the_vocabulary(build):
    with pytest.raises(ValueError, match='none of the vocabulary'):
        build(content(), vocabulary='umbrella')


def test_images_missing_on_disk(build):
    more = content()
    more['images'] += [dict(id=i, height=20, width=30, file_name=f'{i}.png') for i in range(2, 7)]
    with pytest.raises(FileNotFoundError, match=r'5 of 6 images are not on disk: .*images/2\.png'):
        build(more)


def test_folder_of_images_missing(build):
    with pytest.raises(FileNotFoundError, match=r'1 of 1 images .*elsewhere.*data_prefix'):
        build(content(), data_prefix=dict(img='elsewhere/'))


@pytest.fixture
def lvis():
    """An LVIS v1 file of one image: an apple and an applesauce, which is rare."""
    vocabulary = lvis_split_vocabulary()
    novel = set(vocabulary.group('novel'))
    file = content(annotation(1, category_id=12), annotation(2, category_id=13))
    file['categories'] = [
        dict(id=i + 1, name=name, frequency='r' if name in novel else 'f')
        for i, name in enumerate(vocabulary.names)
    ]
    file['images'][0].update(
        coco_url='http://images.cocodataset.org/images/1.png', file_name='COCO_val2014_1.png'
    )
    return file


LVIS = dict(kind='OpenVocabularyLVISDataset', data_prefix=dict(img=''))


@pytest.mark.parametrize('group, labels', [(None, [11, 12]), ('base', [11]), ('novel', [0])])
def test_lvis_with_and_without_rare_classes(build, lvis, group, labels):
    dataset = build(lvis, vocabulary=dict(type='LVISSplitVocabulary', group=group), **LVIS)
    assert dataset[0]['data_samples'].gt_instances.labels.tolist() == labels


def test_lvis_of_another_version(build, lvis):
    del lvis['categories'][700]
    with pytest.raises(ValueError, match=r'lacks 1 of the 1203 categories.*another version'):
        build(lvis, **LVIS)


def test_lvis_with_other_rare_classes(build, lvis):
    lvis['categories'][0]['frequency'] = 'r'
    with pytest.raises(ValueError, match=r'other categories are rare.*aerosol_can'):
        build(lvis, **LVIS)


def test_images_with_other_objects_are_left_out_of_a_closed_world(build):
    written = content(
        annotation(1), annotation(2, image_id=2), annotation(3, image_id=2, category_id=2)
    )
    written['images'] += [dict(written['images'][0], id=i) for i in (2, 3)]
    kind = 'ClosedVocabularyCocoDataset'
    assert len(build(written, kind)) == 3
    dataset = build(written, kind, vocabulary='dog')
    assert len(dataset) == 2
    assert [dataset.get_data_info(i)['img_id'] for i in range(2)] == [1, 3]


def test_metainfo_has_the_vocabularys_groups(build):
    vocabulary = dict(names=['cat', 'dog'], split=dict(base=['dog'], novel=['cat']))
    metainfo = build(content(), vocabulary=vocabulary).metainfo
    assert metainfo['base_classes'] == ('dog',) and metainfo['novel_classes'] == ('cat',)


def test_metainfo_of_mmdets_data_sets(build):
    same = dict(classes=('cat', 'dog', 'sea lion'), palette=[(1, 2, 3)] * 3)
    metainfo = build(content(), metainfo=same).metainfo
    assert metainfo['palette'] == same['palette'] and metainfo['base_classes'] == ()
    with pytest.raises(
        ValueError, match=r'2 classes \(dog, cat\), .* 3 names \(cat, dog, sea lion'
    ):
        build(content(), metainfo=dict(classes=('dog', 'cat')))


def test_one_class_forgets_the_names(build):
    pipeline = [*PIPELINE[:2], dict(type='OneClass'), PIPELINE[2]]
    for annotations in ([], [annotation(1), annotation(2, category_id=2)]):
        labels = build(content(*annotations), pipeline=pipeline)[0]['data_samples'].gt_instances
        assert labels.labels.tolist() == [0] * len(annotations)


@pytest.fixture
def logged(monkeypatch):
    """What data sets log: level and line."""
    lines = []
    monkeypatch.setattr(
        'ovsam.datasets.open_vocabulary_coco.print_log',
        lambda line, _, level: lines.append((level, line)),
    )
    return lines


def test_nothing_is_said_where_names_and_categories_agree(build, logged):
    build(content(annotation(1)), vocabulary='cat,dog')
    assert logged == []


def test_what_is_left_out_is_said_once(build, logged):
    build(content(annotation(1), annotation(2)), vocabulary=['cat', *'abcdef'])
    (warning, names), (info, categories) = logged
    assert (warning, info) == (logging.WARNING, logging.INFO)
    assert names.startswith('6 of the 7 names of the vocabulary have no category in ')
    assert names.endswith('ann.json: a, b, c, d, e and 1 more')
    assert categories.startswith('1 of the 2 categories of ')
    assert categories.endswith(
        'left out with 2 annotations, for the vocabulary does not have them: dog (2)'
    )


@pytest.mark.parametrize('name', ['umbrela', 'Umbrellas', 'um-brella', 'umbrellla'])
def test_an_annotated_class_is_not_lost_by_a_slip(build, name):
    written = content(annotation(1), annotation(2, category_id=9))
    written['categories'].append(dict(id=9, name='umbrella'))
    with pytest.raises(
        ValueError,
        match=rf"ann\.json .*'{name}', which no category is called, "
        "and the annotated category 'umbrella', .*left_out",
    ):
        build(written, vocabulary=['cat', 'dog', name])
    dataset = build(written, vocabulary=['cat', 'dog', name], left_out=['umbrella'])
    assert dataset[0]['data_samples'].gt_instances.labels.tolist() == [1]
    # Where there is nothing to lose, or both have the same name, nothing is a slip.
    build(content(annotation(1)), vocabulary=['cat', 'dog', name])
    build(written, vocabulary=['dog', 'umbrella', name])
    written['categories'].append(dict(id=10, name=name))
    build(written, vocabulary=['dog', name])


def test_short_names_are_no_slips_of_each_other(build):
    assert len(build(content(annotation(1, category_id=2)), vocabulary=['bat', 'dog'])) == 1
