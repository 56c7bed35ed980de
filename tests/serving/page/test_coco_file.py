"""COCO files of others: the right image, names from categories, faults named."""

import pytest

from ovsam.serving.page.coco_file import annotations_of

SIZE = (10, 20)


def content(**changes):
    made = {
        'images': [
            {'id': 1, 'file_name': 'folder/a.png', 'height': 10, 'width': 20},
            {'id': 2, 'file_name': 'b.png', 'height': 10, 'width': 20},
        ],
        'annotations': [
            {
                'id': 1,
                'image_id': 2,
                'category_id': 7,
                'bbox': [0, 0, 4, 4],
                'area': 16,
                'segmentation': [[0, 0, 4, 0, 4, 4, 0, 4]],
            }
        ],
        'categories': [{'id': 7, 'name': 'cat'}],
    }
    return {**made, **changes}


def test_an_image_without_objects_and_one_with():
    assert annotations_of(content(), 'a.png', SIZE) == []
    (found,) = annotations_of(content(), 'b.png', SIZE)
    assert found.labels == ['cat'] and found.masks.shape == (1, *SIZE)
    assert found.masks[0, :4, :4].all() and found.masks.sum() == 16


def test_a_single_image_may_have_any_name():
    single = content(images=content()['images'][1:])
    assert len(annotations_of(single, 'other.png', SIZE)) == 1
    with pytest.raises(ValueError, match='2 images, none of the name other.png'):
        annotations_of(content(), 'other.png', SIZE)


def test_another_size_is_refused():
    with pytest.raises(ValueError, match='20 x 10 pixels, but the open picture is 30 x 10'):
        annotations_of(content(), 'b.png', (10, 30))


@pytest.mark.parametrize(
    'mask, said',
    [
        ([], 'annotation 1 has no mask'),
        ({'size': [10, 20], 'counts': 7}, 'annotation 1 has a mask whose "counts" 7 are'),
        ({'size': [10, 20], 'counts': ''}, 'annotation 1 has a mask .* add up .* make 0, not 200'),
        ([[0, 'x', 1, 1, 2, 2]], 'annotation 1 has a polygon'),
    ],
)
def test_unusable_masks_are_named(mask, said):
    broken = content()
    broken['annotations'][0]['segmentation'] = mask
    with pytest.raises(ValueError, match=said):
        annotations_of(broken, 'b.png', SIZE)


@pytest.mark.parametrize('broken', [[], {}, {'images': [], 'annotations': [], 'categories': []}])
def test_what_is_no_coco_file(broken):
    with pytest.raises(ValueError):
        annotations_of(broken, 'b.png', SIZE)
