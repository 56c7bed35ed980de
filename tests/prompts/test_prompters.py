import numpy as np
import pytest
import torch
from mmdet.registry import TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmengine.structures import InstanceData

from ovsam.prompts import (
    BoxPrompter,
    CenterPointPrompter,
    JitteredBoxPrompter,
    MixedPrompter,
    RandomPointPrompter,
)

ALL = [BoxPrompter, JitteredBoxPrompter, CenterPointPrompter, RandomPointPrompter]


def make_sample(masks, boxes=None):
    masks = np.asarray(masks, dtype=np.uint8).reshape(-1, *np.shape(masks)[1:])
    if boxes is None:
        boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0]]).repeat(len(masks), 1)
    instances = InstanceData(
        bboxes=boxes,
        labels=torch.zeros(len(masks), dtype=torch.long),
        masks=BitmapMasks(masks, *masks.shape[1:]),
    )
    return DetDataSample(gt_instances=instances)


def rectangles(size, *bounds):
    masks = np.zeros((len(bounds), size, size), dtype=np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, bounds):
        mask[y1:y2, x1:x2] = 1
    return masks


@pytest.mark.parametrize('kind', ALL)
def test_no_instances(kind):
    empty = make_sample(np.zeros((0, 8, 8)), boxes=torch.zeros(0, 4))
    assert len(kind()([])) == 0
    assert len(kind()([empty, empty])) == 0
    assert len(MixedPrompter([kind()])([empty])) == 0


def test_boxes_of_several_images():
    first = make_sample(np.ones((2, 8, 8)), torch.tensor([[0.0, 0, 1, 1], [0, 0, 2, 2]]))
    second = make_sample(
        np.ones((1, 8, 8)), HorizontalBoxes(torch.tensor([[0.0, 0, 3, 3]]), clone=False)
    )
    prompts = BoxPrompter()([first, second])
    assert prompts.boxes[:, 2].tolist() == [1, 2, 3]
    assert prompts.image_index.tolist() == [0, 0, 1]
    assert prompts.instance_index.tolist() == [0, 1, 0]


def test_jittered_boxes_stay_near_and_ordered():
    np.random.seed(0)
    boxes = torch.tensor([[100.0, 100, 110, 500]]).repeat(200, 1)
    sample = make_sample(np.ones((200, 2, 2)), boxes)
    moved = JitteredBoxPrompter(jitter=0.1, max_shift=15)([sample]).boxes
    shifts = (moved - boxes).abs()
    assert 0 < shifts[:, 0].max() <= 4.5
    assert shifts[:, 1].max() == 15
    wild = JitteredBoxPrompter(jitter=9)([sample]).boxes
    assert (wild[:, 2:] > wild[:, :2]).all()
    assert torch.equal(JitteredBoxPrompter(jitter=0)([sample]).boxes, boxes)


def test_centre_is_farthest_from_the_border():
    sample = make_sample(rectangles(21, (5, 3, 10, 8), (0, 0, 21, 21)))
    prompts = CenterPointPrompter()([sample])
    assert prompts.coords[:, 0].tolist() == [[7, 5], [10, 10]]
    assert prompts.labels.tolist() == [[1, -1], [1, -1]]


def test_centre_of_a_crescent_is_inside_it():
    mask = rectangles(20, (2, 2, 18, 18))
    mask[:, 2:15, 5:18] = 0
    x, y = CenterPointPrompter()([make_sample(mask)]).coords[0, 0].int().tolist()
    assert mask[0, y, x] == 1


def test_random_points_cover_the_mask_and_nothing_else():
    np.random.seed(0)
    mask = np.zeros((1, 40, 40), dtype=np.uint8)
    mask[0, [1, 4, 30], [2, 2, 27]] = 1
    points = RandomPointPrompter()([make_sample(mask)] * 60).coords[:, 0].int().tolist()
    assert sorted({tuple(p) for p in points}) == [(2, 1), (2, 4), (27, 30)]
    filled = RandomPointPrompter()([make_sample(rectangles(9, (2, 3, 4, 5)))] * 60)
    points = filled.coords[:, 0].int().tolist()
    assert sorted({tuple(p) for p in points}) == [(2, 3), (2, 4), (3, 3), (3, 4)]


@pytest.mark.parametrize('kind', [CenterPointPrompter, RandomPointPrompter])
def test_instances_without_mask_pixels_have_no_row(kind):
    sample = make_sample(rectangles(9, (0, 0, 0, 0), (2, 2, 5, 5)))
    assert kind()([sample]).instance_index.tolist() == [1]


def test_polygon_masks():
    polygon = np.array([4.0, 4, 14, 4, 14, 14, 4, 14])
    sample = make_sample(np.zeros((1, 20, 20)))
    sample.gt_instances.masks = PolygonMasks([[polygon]], 20, 20)
    x, y = CenterPointPrompter()([sample]).coords[0, 0].tolist()
    assert 7 <= x <= 10 and 7 <= y <= 10


@pytest.mark.parametrize('kind', ALL)
def test_max_instances_draws_a_subset_that_knows_itself(kind):
    np.random.seed(0)
    bounds = [(i, i, i + 1, i + 1) for i in range(10)]
    boxes = torch.tensor([[float(i)] * 2 + [i + 1.0] * 2 for i in range(10)])
    sample = make_sample(rectangles(10, *bounds), boxes)
    prompter = kind(max_instances=4)
    drawn = [tuple(prompter([sample]).instance_index.tolist()) for _ in range(5)]
    assert all(len(set(d)) == 4 and list(d) == sorted(d) for d in drawn)
    assert len(set(drawn)) > 1
    prompts = prompter([sample])
    assert torch.equal(prompts.coords[:, 0].round().long()[:, 0], prompts.instance_index)


def test_mixed_prompters_built_from_config():
    np.random.seed(0)
    prompter = TASK_UTILS.build(
        {
            'type': 'MixedPrompter',
            'prompters': [{'type': 'BoxPrompter'}, {'type': 'RandomPointPrompter'}],
            'probabilities': [0.25, 0.75],
            'max_instances': 40,
        }
    )
    sample = make_sample(np.ones((50, 8, 8)))
    prompts = prompter([sample] * 10)
    assert len(prompts) == 400
    assert 0.15 < prompts.has_box.float().mean() < 0.35
    per_image = prompts.instance_index.reshape(10, 40)
    assert (per_image.diff(dim=1) > 0).all()


@pytest.mark.parametrize(
    'make',
    [
        lambda: BoxPrompter(max_instances=0),
        lambda: JitteredBoxPrompter(jitter=-1),
        lambda: MixedPrompter([]),
        lambda: MixedPrompter([BoxPrompter()], probabilities=[0.5]),
        lambda: MixedPrompter([BoxPrompter()], probabilities=[0.5, 0.5]),
    ],
)
def test_bad_settings_are_refused(make):
    with pytest.raises(ValueError, match='must be|at least one'):
        make()
