"""Formats of other programs, read as they read them."""

import json
import os

import cv2
import numpy as np
import pytest
import yaml
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO

from ovsam.apis import Prediction
from ovsam.apis.exports import ImageEntry, make_exports
from ovsam.serving.page.coco_file import annotations_of

NAMES = ('cat', 'dog')


def found(*labels):
    masks = np.zeros((len(labels), 20, 40), bool)
    masks[:, 5:15, 4:24] = True
    if labels:
        masks[-1, 2:4, 30:34] = True  # two parts
    annotations = Prediction(masks, np.zeros((len(labels), 4), np.float32)).to_coco()
    for annotation, label in zip(annotations, labels):
        annotation.update(category_name=label, score=0.5)
    return Prediction.from_coco(annotations, (20, 40))


@pytest.fixture
def write(tmp_path):
    def write(name):
        (export,) = make_exports([name], tmp_path / 'out', NAMES)
        for number, labels in enumerate(((), ('dog', 'fox'), ('cat',))):
            file = tmp_path / 'photos' / f'{number}.jpg'
            export.add(ImageEntry(f'{number}', file.name, file, (20, 40)), found(*labels))
        export.close()
        return tmp_path / 'out'

    return write


def test_coco(write):
    coco = COCO(str(write('coco') / 'coco.json'))
    assert [coco.cats[key]['name'] for key in sorted(coco.cats)] == ['cat', 'dog', 'fox']
    assert [coco.imgs[key]['file_name'] for key in coco.getImgIds()] == ['0.jpg', '1.jpg', '2.jpg']
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    assert [each['category_id'] for each in annotations] == [2, 3]
    assert np.array_equal(coco.annToMask(annotations[1]) > 0, found('dog', 'fox').masks[1])
    assert annotations[0]['area'] == 200 and annotations[0]['bbox'] == [4, 5, 20, 10]


def test_labelme(write):
    folder = write('labelme') / 'labelme'
    assert json.loads((folder / '0.json').read_text())['shapes'] == []
    content = json.loads((folder / '1.json').read_text())
    assert content['imagePath'] == '../../photos/1.jpg'
    assert (content['imageHeight'], content['imageWidth']) == (20, 40)
    assert [shape['label'] for shape in content['shapes']] == ['dog', 'fox', 'fox']
    assert [shape['group_id'] for shape in content['shapes']] == [None, 1, 1]
    points = np.array(content['shapes'][0]['points'])
    assert points.min(axis=0).tolist() == [4.5, 5.5] and points.max(axis=0).tolist() == [23.5, 14.5]


def test_yolo(write):
    folder = write('yolo') / 'yolo'
    assert (folder / 'labels' / '0.txt').read_text() == ''
    lines = [line.split() for line in (folder / 'labels' / '1.txt').read_text().splitlines()]
    assert [line[0] for line in lines] == ['1', '2']
    points = np.array(lines[0][1:], float).reshape(-1, 2) * (40, 20)
    assert points.min(axis=0).tolist() == [4.5, 5.5] and points.max(axis=0).tolist() == [23.5, 14.5]
    assert yaml.safe_load((folder / 'data.yaml').read_text())['names'] == {
        0: 'cat',
        1: 'dog',
        2: 'fox',
    }


def test_a_picture_for_each_mask(write):
    folder = write('masks') / 'masks'
    assert not (folder / '0').exists()
    files = sorted((folder / '1').iterdir())
    assert [file.name for file in files] == ['001_dog.png', '002_fox.png']
    for file, mask in zip(files, found('dog', 'fox').masks):
        assert np.array_equal(cv2.imread(str(file), cv2.IMREAD_UNCHANGED), mask * np.uint8(255))


def test_pictures_of_masks_that_are_no_more_go(write, tmp_path):
    old = tmp_path / 'out' / 'masks' / '1'
    old.mkdir(parents=True)
    (old / '001_cat.png').touch()
    (old / 'notes.png').touch()
    names = sorted(file.name for file in (write('masks') / 'masks' / '1').iterdir())
    assert names == ['001_dog.png', '002_fox.png', 'notes.png']


def test_masks_without_names(tmp_path):
    exports = make_exports(['coco', 'yolo', 'labelme', 'coco'], tmp_path, ())
    assert len(exports) == 3
    masks = np.ones((1, 2, 3), bool)
    for export in exports:
        export.add(ImageEntry('a', 'a', None, (2, 3)), Prediction(masks, np.zeros((1, 4))))
        export.close()
    assert json.loads((tmp_path / 'coco.json').read_text())['categories'] == [
        {'id': 1, 'name': 'object'}
    ]
    assert json.loads((tmp_path / 'labelme' / 'a.json').read_text())['imagePath'] == 'a'


def test_unknown_format(tmp_path):
    with pytest.raises(ValueError, match="'voc': choose of coco, labelme, yolo"):
        make_exports(['coco', 'voc'], tmp_path, NAMES)


def entry(file_name, name='x'):
    return ImageEntry(name, file_name, None, (20, 40))


@pytest.mark.parametrize('kind', ['coco', 'labelme', 'yolo'])
def test_images_that_can_be_told_apart(tmp_path, kind):
    (export,) = make_exports([kind], tmp_path, NAMES)
    export.expect([])
    export.expect(['a/x.png', 'b/x.png', 'x.png', '00000000'])


@pytest.mark.parametrize(
    'kind, names, said',
    [
        (
            'yolo',
            ['shot.jpg', 'a.jpg', 'shot.png'],
            'shot.jpg and shot.png would all be shot.txt. YOLO knows an image by its name without',
        ),
        ('yolo', ['x/shot.jpg', 'x/shot.jpg'], 'x/shot.jpg comes 2 times'),
        ('coco', ['shot.jpg', 'shot.jpg'], 'shot.jpg comes 2 times. coco.json knows an image by'),
        (
            'yolo',
            [f'{number // 2}.{"jp"[number % 2]}ng' for number in range(16)],
            '4.jng and 4.png would all be 4.txt and 3 more. YOLO',
        ),
    ],
)
def test_images_that_cannot_are_refused(tmp_path, kind, names, said):
    (export,) = make_exports([kind], tmp_path, NAMES)
    with pytest.raises(ValueError) as error:
        export.expect(names)
    assert said in str(error.value)


def test_yolo_labels_lie_as_the_images_do(tmp_path):
    (export,) = make_exports(['yolo'], tmp_path, NAMES)
    for name in ('a/x.png', 'b/x.tar.png', '/abs/../y.png'):
        export.add(entry(name), found('cat'))
    labels = tmp_path / 'yolo' / 'labels'
    assert sorted(path.relative_to(labels).as_posix() for path in labels.rglob('*.txt')) == [
        'a/x.txt',
        'abs/y.txt',
        'b/x.tar.txt',
    ]


UNREADABLE = 'caf\udce9'
ODD = (
    'line\nbreak',
    '"quotes"',
    "'",
    ' spaces ',
    'no',
    '1',
    'null',
    '# c',
    'a: b',
    'Cat',
    'cat',
    'ä\u2028',
    UNREADABLE,
)


def test_odd_names_come_back(tmp_path):
    """Names of classes and of files, through COCO, LabelMe and YOLO."""
    exports = make_exports(['coco', 'labelme', 'yolo'], tmp_path, ODD)
    for export in exports:
        for number, name in enumerate(ODD):
            export.add(entry(f'{number}/{name}.png', f'{number}'), found(name))
        export.close()
    content = json.loads((tmp_path / 'coco.json').read_text(encoding='utf-8'))
    names = yaml.safe_load((tmp_path / 'yolo' / 'data.yaml').read_text(encoding='utf-8'))['names']
    for number, name in enumerate(ODD):
        read = annotations_of(content, f'{number}/{name}.png', (20, 40))
        if name == UNREADABLE:  # no text for a browser
            assert read.left_out == [
                f'annotation 13 has the name {name!r}: expected 1 to 500 letters'
            ]
        else:
            (again,) = read.objects
            assert again.category_name == name
            mask = mask_utils.decode(again.segmentation.model_dump())
            assert np.array_equal(mask, found(name).masks[0])
        shape = json.loads((tmp_path / 'labelme' / f'{number}.json').read_text('utf-8'))
        assert shape['shapes'][0]['label'] == name
        assert shape['imagePath'] == f'{number}/{name}.png'
        line = (tmp_path / 'yolo' / 'labels' / f'{number}' / f'{name}.txt').read_text()
        assert names[int(line.split()[0])] == name
    assert os.fsencode(content['images'][-1]['file_name']) == b'12/caf\xe9.png'
