"""COCO files of others: the right image, names from categories, and what cannot be used is told."""

import re

import pytest

pytest.importorskip('fastapi', reason='pip install ".[app]"')

from ovsam.serving.page.coco_file import annotations_of
from ovsam.serving.page.records import Imported
from ovsam.utils.run_lengths import read_mask

SIZE = (10, 20)
SQUARE = [[0, 0, 4, 0, 4, 4, 0, 4]]


def image(number, file_name, size=SIZE):
    return {'id': number, 'file_name': file_name, 'height': size[0], 'width': size[1]}


def annotation(number=1, **changes):
    return {'id': number, 'image_id': 2, 'category_id': 7, 'segmentation': SQUARE, **changes}


def content(*annotations, **changes):
    made = {
        'images': [image(1, 'folder/a.png'), image(2, 'b.png')],
        'annotations': list(annotations) or [annotation()],
        'categories': [{'id': 7, 'name': 'cat'}],
    }
    return {**made, **changes}


def names(loaded):
    return [found.category_name for found in loaded.objects]


def test_an_image_without_objects_and_one_with():
    assert annotations_of(content(), 'a.png', SIZE) == Imported(
        image='folder/a.png', objects=[], left_out=[]
    )
    loaded = annotations_of(content(), 'b.png', SIZE)
    assert loaded.image == 'b.png' and loaded.left_out == []
    (found,) = loaded.objects
    mask = read_mask(found.segmentation.model_dump(), SIZE)
    assert found.category_name == 'cat' and mask[:4, :4].all() and mask.sum() == 16


class Compared(dict):
    """Counts how often one is compared."""

    times = 0

    def __eq__(self, other):
        Compared.times += 1
        return super().__eq__(other)


def test_many_records_are_not_compared_each_with_each():
    many = [Compared(annotation(number)) for number in range(50)]
    images = [Compared(image(number, f'{number}/b.png')) for number in range(50)]
    assert len(annotations_of(content(*many, images=images), '2/b.png', SIZE).objects) == 50
    assert Compared.times <= 100


def test_a_single_image_may_have_any_name():
    single = content(images=content()['images'][1:])
    loaded = annotations_of(single, 'other.png', SIZE)
    assert loaded.image == 'b.png' and len(loaded.objects) == 1
    with pytest.raises(ValueError, match='2 images, none of the name other.png'):
        annotations_of(content(), 'other.png', SIZE)


def test_another_size_is_refused():
    with pytest.raises(ValueError, match='b.png is 20 x 10 pixels, but the open picture is 30 x 1'):
        annotations_of(content(), 'b.png', (10, 30))


def splits(*sizes):
    """Images of one name in several folders, with an object in each."""
    folders = ('train', 'val', 'test')
    return content(
        *(annotation(number, image_id=number, category_id=number) for number in (1, 2, 3)),
        images=[
            image(number, f'{folder}/0001.jpg', size)
            for number, folder, size in zip((1, 2, 3), folders, sizes)
        ],
        categories=[
            {'id': number, 'name': f'of {folder}'} for number, folder in zip((1, 2, 3), folders)
        ],
    )


def test_images_of_one_name_are_told_apart_by_size_and_path_or_refused():
    assert names(annotations_of(splits((9, 9), SIZE, (9, 9)), '0001.jpg', SIZE)) == ['of val']
    same = splits(SIZE, SIZE, (9, 9))
    with pytest.raises(
        ValueError,
        match=r'2 images that 0001.jpg of this size may be: '
        r'train/0001.jpg \(id 1\), val/0001.jpg \(id 2\)',
    ):
        annotations_of(same, '0001.jpg', SIZE)
    for path in ('val/0001.jpg', '/data/val/0001.jpg', 'C:\\data\\val\\0001.jpg'):
        assert names(annotations_of(same, path, SIZE)) == ['of val']
    with pytest.raises(ValueError, match='may be'):
        annotations_of(same, 'other/0001.jpg', SIZE)
    with pytest.raises(ValueError, match='train/0001.jpg is 20 x 10, val/0001.jpg is 20 x 10'):
        annotations_of(same, '0001.jpg', (7, 7))
    same['images'][1]['file_name'] = '0001.jpg'
    assert names(annotations_of(same, '0001.jpg', SIZE)) == ['of val']


def test_images_of_one_id_are_refused_unless_they_are_the_same():
    images = [image(2, 'a.png'), image(2, 'b.png')]
    with pytest.raises(ValueError, match='images b.png and a.png of the file have the same id 2'):
        annotations_of(content(images=images), 'b.png', SIZE)
    twice = [image(2, 'b.png'), image(2, 'b.png'), image(1, 'a.png')]
    assert names(annotations_of(content(images=twice), 'b.png', SIZE)) == ['cat']
    same_file = [image(1, 'b.png'), image(2, 'b.png')]
    with pytest.raises(ValueError, match=r'b.png \(id 1\), b.png \(id 2\)'):
        annotations_of(content(images=same_file), 'b.png', SIZE)


def test_ids_may_be_texts_but_true_is_not_one():
    texts = content(
        annotation(image_id='x'),
        annotation(2, image_id=True),
        images=[image('x', 'a.png'), image(1, 'b.png')],
    )
    loaded = annotations_of(texts, 'a.png', SIZE)
    assert names(loaded) == ['cat'] and 'annotation 2 is of image True' in loaded.left_out[0]


def test_the_formats_own_key_goes_before_its_copy():
    stale = annotation(
        category_name='dog',
        score=0.2,
        alternatives=[['dog', 0.2]],
        leaves=[['pug', 0.1]],
        predicted_iou=0.5,
    )
    (found,) = annotations_of(content(stale), 'b.png', SIZE).objects
    assert (found.category_name, found.alternatives) == ('cat', [('cat', 1)])
    assert (found.score, found.predicted_iou) == (1, 0.5)
    fresh = annotation(category_name='cat', score=0.25, alternatives=[['cat', 0.25], ['fox', 0.2]])
    (found,) = annotations_of(content(fresh), 'b.png', SIZE).objects
    assert (found.score, found.alternatives) == (0.25, [('cat', 0.25), ('fox', 0.2)])


@pytest.mark.parametrize(
    'extra',
    [
        {'score': 'high'},
        {'alternatives': 7},
        {'alternatives': [['cat']]},
        {'predicted_iou': None},
        {'leaves': [[1, 2]]},
        {'score': float('nan')},
        {'area': 'wide'},
        {'bbox': None},
    ],
)
def test_what_is_not_needed_costs_no_object(extra):
    loaded = annotations_of(content(annotation(**extra)), 'b.png', SIZE)
    assert names(loaded) == ['cat'] and loaded.left_out == []
    assert loaded.objects[0].score == 1


def test_good_objects_are_taken_and_bad_ones_told():
    good = [annotation(number) for number in range(50)]
    bad = [
        annotation(90, segmentation=None),
        {'id': 91, 'image_id': 2},
        'x',
        annotation(92, image_id=8),
        annotation(93, category_id=8),
        annotation(94, category_id=[7]),
        {**annotation(95), 'id': None, 'image_id': None},
        annotation(3),
    ]
    loaded = annotations_of(content(*bad, *good), 'b.png', SIZE)
    assert len(loaded.objects) == 50 and len(loaded.left_out) == 8
    assert loaded.left_out[2] == 'annotations[2] is a str, not an object'
    assert loaded.left_out[3] == "annotation 92 is of image 8, which is not among the file's images"
    assert loaded.left_out[6].startswith('annotations[6] is of image None')
    assert loaded.left_out[7] == 'annotation 3 is in the file twice'


def test_bad_categories_cost_their_own_objects():
    categories = [
        {'id': 7, 'name': 'cat'},
        {'id': 8, 'name': 'dog'},
        {'id': 8, 'name': 'fox'},
        {'id': 9, 'name': 'cat'},
        {'id': 10, 'name': None},
        {'id': 7, 'name': 'cat'},
        3,
    ]
    rows = [annotation(number, category_id=number) for number in (7, 8, 9, 10)]
    loaded = annotations_of(content(*rows, categories=categories), 'b.png', SIZE)
    assert names(loaded) == ['cat', 'cat']
    assert loaded.left_out == [
        'annotation 8 is of category 8, which the file calls dog and fox',
        "annotation 10 is of category 10, which has no name among the file's categories",
    ]


@pytest.mark.parametrize(
    'mask, said',
    [
        ([], 'has no mask'),
        ([[]], 'has no mask'),
        ({'size': [10, 20], 'counts': 7}, 'has a mask whose "counts" 7 are'),
        ({'size': [10, 20], 'counts': ''}, 'has a mask .* add up .* make 0, not 200'),
        ([[0, 'x', 1, 1, 2, 2]], 'has a polygon'),
        (
            [[0, 0, 4, 0, 4, 4, 0]],
            'has a polygon of 7 numbers in "segmentation": expected x and y of '
            'each corner, an even number of at least 6',
        ),
        ([[0, 0, 4, 4]], 'has a polygon of 4 numbers'),
        ([[], [0, 0]], 'has a polygon of 2 numbers'),
        ([[50, 50, 54, 50, 54, 54]], 'without a pixel'),
        ([[0, 0, 4, 0, -1e9, 4]], 'goes far beyond its image'),
    ],
)
def test_unusable_masks_are_named(mask, said):
    loaded = annotations_of(content(annotation(segmentation=mask), annotation(2)), 'b.png', SIZE)
    (fault,) = loaded.left_out
    assert fault.startswith('annotation 1 ') and re.search(said, fault)
    assert names(loaded) == ['cat']


def test_run_lengths_may_be_numbers():
    mask = {'size': list(SIZE), 'counts': [0, 10, 190]}
    (found,) = annotations_of(content(annotation(segmentation=mask)), 'b.png', SIZE).objects
    assert found.annotation()['area'] == 10


def test_an_empty_polygon_is_no_part_of_a_mask():
    loaded = annotations_of(content(annotation(segmentation=[[], SQUARE[0]])), 'b.png', SIZE)
    assert loaded.objects[0].annotation()['area'] == 16


@pytest.mark.parametrize(
    'broken',
    [
        [],
        {},
        {'images': [], 'annotations': [], 'categories': []},
        content(categories={}),
        content(images=[{'id': 1, 'file_name': 'b.png'}]),
        content(images=[7]),
    ],
)
def test_what_is_no_coco_file(broken):
    with pytest.raises(ValueError):
        annotations_of(broken, 'b.png', SIZE)
