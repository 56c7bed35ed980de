"""Objects of one colour each, followed by a model that knows nothing but colours."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovsam.apis import OVSAMPredictor, follow, init_model, make_prompts
from ovsam.apis.tracking import follow_prompts
from ovsam.masks.regions import Regions
from ovsam.segmenters.zoomed_pass import Look

from ..conftest import BLUE, GREEN, GREY, RED

SIDE = 128


@pytest.fixture
def predictor(colour_model, monkeypatch):
    """A box means what has the colour of its middle, inside of it or not."""
    segment = colour_model.segment

    def by_middles(features, prompts):
        middles = prompts.coords[:, :2].mean(dim=1, keepdim=True)
        coords = torch.where(prompts.has_box[:, None, None], middles, prompts.coords)
        return segment(features, replace(prompts, coords=coords))

    monkeypatch.setattr(colour_model, 'segment', by_middles)
    monkeypatch.setitem(colour_model._modules, 'mask_cleaning', torch.nn.ModuleList())
    return OVSAMPredictor(colour_model, vocabulary=['cat', 'dog'])


def frame(*objects, size=(SIDE, SIDE)):
    """A grey picture with rectangles: a colour, and left, top, right, bottom."""
    picture = np.full((*size, 3), GREY, np.uint8)
    for colour, (left, top, right, bottom) in objects:
        picture[top:bottom, left:right] = colour
    return picture


def box(left, top, width=40, height=30):
    return left, top, left + width, top + height


def is_at(found, row, place):
    """Whether a mask is the rectangle, up to its border."""
    left, top, right, bottom = place
    expected = np.zeros((SIDE, SIDE), bool)
    expected[top:bottom, left:right] = True
    common = (found.masks[row] & expected).sum()
    return common / (found.masks[row] | expected).sum() > 0.8


def test_no_frames(predictor):
    with pytest.raises(ValueError, match='there are no frames'):
        next(follow(predictor, [], boxes=box(10, 10)))


def test_no_objects(predictor):
    with pytest.raises(ValueError, match='there is no object to follow'):
        next(follow(predictor, [frame()], boxes=np.zeros((0, 4))))
    with pytest.raises(ValueError, match='there is no object to follow'):
        next(follow(predictor, [frame()], masks=np.zeros((0, SIDE, SIDE))))
    with pytest.raises(ValueError, match='no object'):
        next(follow_prompts(predictor, [frame()], []))
    with pytest.raises(ValueError, match='give point_coords, boxes or both'):
        follow(predictor, [frame()])


def test_a_prompt_at_nothing(predictor, monkeypatch):
    segment = predictor.model.segment

    def nothing(features, prompts):
        masks, quality = segment(features, prompts)
        return -masks.abs(), quality

    monkeypatch.setattr(predictor.model, 'segment', nothing)
    with pytest.raises(ValueError, match='nothing in the first frame at prompt 0 of 1'):
        next(follow(predictor, [frame((RED, box(10, 10)))], boxes=box(10, 10)))


def test_frames_of_different_sizes(predictor):
    frames = [frame((RED, box(10, 10))), frame(size=(SIDE, 96))]
    followed = follow(predictor, frames, boxes=box(10, 10))
    next(followed)
    with pytest.raises(ValueError, match='frame 1 is 96 x 128 pixels, and the first is 128 x 128'):
        next(followed)


def test_a_prompt_outside_the_first_frame(predictor):
    with pytest.raises(ValueError, match='has a box outside its image'):
        next(follow(predictor, [frame()], boxes=[200, 10, 240, 40]))


def test_an_object_at_the_edge_that_leaves(predictor):
    """Boxes that are moved on out of the frame are not asked for."""
    frames = [frame((RED, box(left, 60))) for left in (60, 88)] + [frame(), frame()]
    followed = [*follow(predictor, frames, boxes=box(60, 60))]
    assert [each.lost[0] for each in followed] == [False, False, True, True]


@pytest.mark.parametrize(
    ('wrong', 'what'),
    [
        (dict(least=2), 'least must be in'),
        (dict(least_again=-2), 'least_again must be in'),
        (dict(reach=-1), 'must not be negative'),
    ],
)
def test_settings_out_of_their_range(predictor, wrong, what):
    with pytest.raises(ValueError, match=what):
        follow(predictor, [frame()], boxes=box(10, 10), **wrong)


def test_prompts_and_masks(predictor):
    for prompts in (dict(boxes=box(10, 10)), dict(point_labels=[0])):
        with pytest.raises(ValueError, match='prompts or masks, not both'):
            follow(predictor, [frame()], **prompts, masks=np.ones((SIDE, SIDE)))
    with pytest.raises(ValueError, match='is empty'):
        next(follow(predictor, [frame()], masks=np.zeros((SIDE, SIDE))))


def test_frames_are_read_when_they_are_needed(predictor):
    read = []

    def frames():
        for left in range(0, 30, 10):
            read.append(left)
            yield frame((RED, box(left, 10)))

    followed = follow(predictor, frames(), boxes=box(0, 10))
    assert read == []
    next(followed), next(followed)
    assert read == [0, 10]


def test_objects_that_move_and_cross(predictor):
    """Each keeps its row; the one behind may be lost for a while."""
    ways = [(box(8 + 9 * t, 40), box(80 - 9 * t, 50)) for t in range(9)]
    frames = [frame((RED, red), (BLUE, blue)) for red, blue in ways]
    before = frame((GREEN, box(0, 0)))
    predictor.set_image(before)
    for at, followed in enumerate(follow(predictor, frames, boxes=[box(8, 40), box(80, 50)])):
        red, blue = ways[at]
        assert followed.number == at and is_at(followed.found, 1, blue)
        assert not (followed.found.masks[0] & followed.found.masks[1]).any()
        assert (followed.image == frames[at]).all()
    assert is_at(followed.found, 0, red)
    # The caller's image is still there.
    assert predictor.predict([[5, 5]]).masks[0, 5, 5]


def test_an_object_that_leaves_and_comes_back_elsewhere(predictor):
    there, back = box(10, 10), box(83, 83)
    frames = [frame((RED, there)), frame(), frame((GREEN, there)), frame((RED, back))]
    first, gone, other, again = follow(predictor, frames, [[20, 20]])
    assert [each.lost.tolist() for each in (first, gone, other, again)] == [
        [False],
        [True],
        [True],
        [False],
    ]
    assert not gone.found.masks.any() and not gone.found.boxes.any()
    assert is_at(again.found, 0, back)
    assert len(again.found.labels) == 1


def test_an_object_that_is_lost_in_all_further_frames(predictor):
    followed = [*follow(predictor, [frame((RED, box(10, 10)))] + [frame()] * 3, boxes=box(10, 10))]
    assert [each.lost[0] for each in followed] == [False, True, True, True]
    assert not any(each.found.masks.any() for each in followed[1:])


def test_masks_in_place_of_prompts(predictor):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[10:40, 10:50] = True
    frames = [frame((RED, box(10, 10))), frame((RED, box(16, 14)))]
    first, second = follow(predictor, frames, masks=mask)
    assert (first.found.masks[0] == mask).all() and is_at(second.found, 0, box(16, 14))


def test_names_are_of_all_frames(predictor):
    """What is named is the mean of what was seen, and a lost object keeps its name."""
    frames = [frame((RED, box(10 + 4 * t, 10))) for t in range(3)] + [frame()]
    followed = [each.found for each in follow(predictor, frames, boxes=box(10, 10))]
    means = [found.region_embeddings for found in followed]
    assert torch.allclose(means[2], means[3]) and followed[2].labels == followed[3].labels
    predictor.set_image(frames[1])
    alone = predictor.predict(boxes=box(14, 10)).region_embeddings
    assert torch.allclose(means[1], (means[0] + alone) / 2, atol=1e-4)


def test_a_model_without_names(predictor, monkeypatch):
    """Masks alone decide; what is lost is found again in its last place only."""
    monkeypatch.setattr(predictor.model, 'region_embeddings', lambda *_: ())
    places = [box(10, 10), box(14, 10), None, box(80, 80), box(18, 10)]
    frames = [frame() if place is None else frame((RED, place)) for place in places]
    followed = [*follow(predictor, frames, boxes=places[0])]
    assert [each.lost[0] for each in followed] == [False, False, True, True, False]
    assert is_at(followed[4].found, 0, places[4]) and followed[4].found.labels is None


def test_the_last_mask_is_a_prompt_where_the_model_takes_it(predictor, monkeypatch):
    """It is moved as the box is."""
    segment, shown = predictor.model.segment, []

    def watched(features, prompts):
        if prompts.masks is not None:
            shown.append(prompts)
        return segment(features, prompts)

    monkeypatch.setattr(predictor.model, 'segment', watched)
    frames = [frame((RED, box(20 + 6 * t, 20))) for t in range(3)]
    for _ in follow(predictor, frames, boxes=box(20, 20)):
        pass
    assert shown == []
    monkeypatch.setattr(type(predictor.model), 'takes_masks', True)
    for _ in follow(predictor, frames, boxes=box(20, 20)):
        pass
    for prompts in shown:
        assert prompts.guessed.all()
        for row, mask in zip(prompts.boxes / 2, prompts.masks[:, 0] > 0):  # a logit is 2 pixels
            ys, xs = mask.nonzero().T
            middle = torch.stack([xs.float().mean(), ys.float().mean()]) + 0.5
            assert torch.allclose(middle, (row[:2] + row[2:]) / 2, atol=1.5)
    assert len(shown) == 4  # in two frames, each time around the place and once more


def test_only_what_is_found_is_zoomed_in_on(predictor, monkeypatch):
    """Masks of a zoomed pass are larger than those of candidates."""
    embed, asked = predictor.model.region_embeddings, []

    def closer(segmenter, features, prompts, low_res, quality):
        asked.append(prompts.guessed.tolist())
        opinions = embed(features, Regions.of_prompts(low_res, prompts, 2 * low_res.shape[-1]))
        finer = F.interpolate(low_res[:, None], scale_factor=2)[:, 0]
        return Look(finer, quality, tuple(-each for each in opinions))

    def embedded(features, regions, bank=None):
        return regions.zoomed or embed(features, regions, bank)

    monkeypatch.setitem(predictor.model.__dict__, 'zoomed_pass', closer)
    monkeypatch.setattr(predictor.model, 'region_embeddings', embedded)
    places = [box(10, 10), box(14, 10), None, box(83, 83)]
    frames = [frame() if place is None else frame((RED, place)) for place in places]
    followed = [*follow(predictor, frames, boxes=places[0])]
    assert [each.lost[0] for each in followed] == [False, False, True, False]
    assert is_at(followed[1].found, 0, places[1]) and is_at(followed[3].found, 0, places[3])
    assert asked == [[False], [True], [True]]  # what was shown, and twice what was found
    assert (followed[3].found.region_embeddings[..., 0] < 0).all()  # red, turned round


def test_random_weights(random_mini):
    """They lead anywhere: rows stay, and what is lost has no mask."""
    frames = [frame((RED, box(10 + 4 * t, 10))) for t in range(3)]
    predictor = OVSAMPredictor(init_model('mini', device='cpu'), vocabulary=['cat', 'dog'])
    prompts = [make_prompts([[20, 20]]), make_prompts(boxes=box(10, 10))]
    for each in follow_prompts(predictor, frames, prompts):
        assert each.found.masks.shape == (2, SIDE, SIDE)
        assert (each.found.masks.any(axis=(1, 2)) == ~each.lost).all()
