import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from ovsam.datasets import KeepInMemory, PasteObjects, RandomObjectWarp


def picture(*boxes, height=60, width=80):
    """A grey picture with a white square in each box."""
    image = np.full((height, width, 3), 50, np.uint8)
    masks = np.zeros((len(boxes), height, width), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask[y1:y2, x1:x2] = 1
        image[mask > 0] = 250
    return dict(
        img=image,
        img_path='picture.jpg',
        img_shape=(height, width),
        gt_bboxes=HorizontalBoxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
        gt_bboxes_labels=np.arange(len(boxes)),
        gt_masks=BitmapMasks(masks, height, width),
        gt_ignore_flags=np.zeros(len(boxes), bool),
    )


def boxes_are_those_of_the_masks(results):
    for mask, box in zip(results['gt_masks'].masks, results['gt_bboxes'].tensor):
        rows, columns = np.nonzero(mask)
        if box.tolist() != [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]:
            return False
    return True


class TestRandomObjectWarp:
    def test_no_objects(self):
        results = RandomObjectWarp(32).transform(picture())
        assert results['img'].shape == (32, 32, 3) and len(results['gt_masks']) == 0

    def test_objects_that_are_too_small_are_none(self):
        results = RandomObjectWarp(32).transform(picture((20, 20, 22, 22)))
        assert len(results['gt_masks']) == len(results['gt_bboxes_labels']) == 0

    def test_crowds_are_no_objects(self):
        results = picture((5, 5, 75, 55), (20, 15, 60, 45))
        results['gt_ignore_flags'][0] = True
        found = RandomObjectWarp(64).transform(results)
        assert found['gt_bboxes_labels'].tolist() == [1]

    @pytest.mark.parametrize('seed', range(8))
    def test_masks_stay_on_their_objects(self, seed):
        np.random.seed(seed)
        results = RandomObjectWarp(64, scale=(0.7, 1.2)).transform(picture((20, 15, 60, 45)))
        assert results['img'].shape == (64, 64, 3)
        mask = results['gt_masks'].masks[0] > 0
        bright = results['img'][..., 0] > 180
        assert (mask & bright).sum() / (mask | bright).sum() > 0.85
        assert boxes_are_those_of_the_masks(results)

    @pytest.mark.parametrize('flip', [0.0, 1.0])
    def test_only_what_the_settings_say(self, flip):
        warp = RandomObjectWarp(80, scale=(1, 1), aspect=0, rotation=0, flip=flip)
        masks = warp.transform(picture((0, 0, 40, 60)))['gt_masks'].masks
        columns, rows = (np.flatnonzero(masks[0].any(axis=axis)) for axis in (0, 1))
        assert len(rows) == 60 and columns.mean() == (60 if flip else 19.5)

    def test_a_random_few_objects_stay(self):
        boxes = [(10 * place, 10, 10 * place + 8, 50) for place in range(8)]
        warp = RandomObjectWarp(64, scale=(1, 1), max_objects=3, min_area=4)
        kept = {
            tuple(sorted(warp.transform(picture(*boxes))['gt_bboxes_labels'])) for _ in range(5)
        }
        assert all(len(labels) == 3 for labels in kept) and len(kept) > 1


class TestPasteObjects:
    @pytest.mark.parametrize('sources', [[], [picture()]])
    @pytest.mark.parametrize('boxes', [[], [[10, 10, 50, 50]]])
    def test_nothing_to_paste(self, boxes, sources):
        after = PasteObjects().transform(dict(picture(*boxes), mix_results=sources))
        assert np.array_equal(after['img'], picture(*boxes)['img'])
        assert after['gt_bboxes'].tensor.tolist() == boxes

    def test_of_which_picture(self):
        assert PasteObjects(prob=0.0).get_indexes([0] * 5) == []
        assert PasteObjects(prob=1.0).get_indexes([0]) == [0]

    @pytest.mark.parametrize('seed', range(5))
    def test_objects_arrive_with_their_masks(self, seed):
        np.random.seed(seed)
        source = picture((10, 5, 50, 45))
        source['gt_bboxes_labels'] = np.array([7])
        target = picture((0, 0, 20, 20), height=90, width=120)
        results = PasteObjects(min_visible=0.01).transform(dict(target, mix_results=[source]))
        assert 7 in results['gt_bboxes_labels']
        masks = results['gt_masks'].masks
        assert masks.sum(axis=0).max() == 1  # what is pasted hides what was there
        assert (results['img'][masks[-1] > 0] > 150).mean() > 0.9
        assert boxes_are_those_of_the_masks(results)

    def test_how_many_and_how_large(self):
        source = picture(*[(20 * place, 10, 20 * place + 10, 20) for place in range(4)])
        paste = PasteObjects(1.0, max_objects=1, min_side=8, scale=(2, 2))
        after = paste.transform(dict(picture(height=90, width=120), mix_results=[source]))
        assert [mask.sum() for mask in after['gt_masks'].masks] == [pytest.approx(400, rel=0.2)]
        paste.min_side = 11
        after = paste.transform(dict(picture(height=90, width=120), mix_results=[source]))
        assert len(after['gt_masks']) == 0


class Counted:
    def __init__(self, *boxes):
        self.calls, self.boxes = 0, boxes

    def __call__(self, results):
        self.calls += 1
        return picture(*self.boxes)


@pytest.mark.parametrize('boxes', [(), ((3, 4, 21, 33),)])
def test_a_picture_is_read_once_and_never_changed(boxes):
    keep, read = KeepInMemory([]), Counted(*boxes)
    keep.transforms = read
    first = keep.transform(dict(img_path='a.jpg'))
    first['img'][:] = 0
    first['gt_masks'].masks[:] = 0
    first['gt_bboxes'].flip_((60, 80))
    second = keep.transform(dict(img_path='a.jpg'))
    assert read.calls == 1
    assert np.array_equal(second['gt_masks'].masks, picture(*boxes)['gt_masks'].masks)
    assert second['img'].any() and boxes_are_those_of_the_masks(second)
