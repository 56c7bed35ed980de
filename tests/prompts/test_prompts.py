import pytest
import torch

from ovsam.apis import make_prompts
from ovsam.prompts import Prompts


def test_empty():
    prompts = Prompts.empty()
    assert len(prompts) == 0
    assert prompts.boxes.shape == prompts.boxes_or_zeros.shape == (0, 4)
    assert len(Prompts.cat([])) == 0
    assert len(Prompts.cat([prompts, prompts])) == 0
    assert len(prompts.scale(torch.ones(0, 2))) == 0
    prompts.given().check_inside((4, 4))
    assert Prompts.from_boxes([]).coords.shape == Prompts.from_points([]).coords.shape == (0, 2, 2)


def test_points_end_with_padding():
    prompts = Prompts.from_points([[[3, 4], [5, 6]]], labels=[[1, 0]])
    assert prompts.coords.tolist() == [[[3, 4], [5, 6], [0, 0]]]
    assert prompts.labels.tolist() == [[1, 0, -1]]


def test_rows_without_a_box_have_zeros():
    box, point = Prompts.from_boxes([[1, 2, 3, 4]]), Prompts.from_points([[[5.0, 6.0]]])
    assert Prompts.cat([point, box]).boxes_or_zeros.tolist() == [[0, 0, 0, 0], [1, 2, 3, 4]]


def test_boxes_are_two_corners():
    prompts = Prompts.from_boxes([[1, 2, 3, 4]])
    assert prompts.coords.tolist() == [[[1, 2], [3, 4]]]
    assert prompts.labels.tolist() == [[2, 3]]
    assert prompts.boxes.tolist() == [[1, 2, 3, 4]]


def test_points_and_boxes_have_no_padding():
    prompts = make_prompts([[[5, 6]]], boxes=[[1, 2, 8, 9]])
    assert prompts.coords.tolist() == [[[5, 6], [1, 2], [8, 9]]]
    assert prompts.labels.tolist() == [[1, 2, 3]]
    assert prompts.boxes.tolist() == [[1, 2, 8, 9]]


def test_guessed_boxes_stay_guessed():
    assert Prompts.empty().as_guessed().guessed.shape == (0,)
    drawn, found = Prompts.from_boxes([[1, 2, 3, 4]]), Prompts.from_boxes([[2, 3, 4, 5]])
    prompts = Prompts.cat([drawn, found.as_guessed()])
    assert prompts.guessed.tolist() == [False, True]
    assert prompts[1].scale(torch.ones(1, 2)).guessed.tolist() == [True]
    again = Prompts.of(prompts.given().rows(slice(1, 2)).resized((9, 9), (18, 18)))
    assert again.guessed.tolist() == [True]
    assert Prompts.of(drawn.given()).guessed.tolist() == [False]


@pytest.mark.parametrize('guessed', [torch.ones(0).bool(), torch.ones(2).bool(), torch.ones(1)])
def test_guesses_are_one_for_each_prompt(guessed):
    with pytest.raises(ValueError, match=r'guessed must be \(1,\) torch.bool'):
        Prompts.from_boxes([[1, 2, 3, 4]], guessed=guessed)


def test_default_identity_counts_within_images():
    prompts = Prompts.from_boxes(torch.rand(4, 4), image_index=torch.tensor([0, 1, 0, 1]))
    assert prompts.instance_index.tolist() == [0, 0, 1, 1]
    assert Prompts.from_boxes(torch.rand(2, 4)).image_index.tolist() == [0, 0]


def test_rows_keep_identity():
    prompts = Prompts.from_boxes(
        [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]],
        image_index=torch.tensor([0, 1, 1]),
        instance_index=torch.tensor([7, 2, 5]),
        masks=torch.arange(3.0).reshape(3, 1, 1, 1),
    )
    for index in (slice(1, 3), torch.tensor([1, 2]), prompts.image_index == 1, [1, 2]):
        part = prompts[index]
        assert part.boxes[:, 2].tolist() == [2, 3]
        assert part.instance_index.tolist() == [2, 5]
        assert part.masks.flatten().tolist() == [1, 2]
    assert prompts[-1].boxes.tolist() == [[0, 0, 3, 3]]
    assert [p.instance_index.item() for p in prompts] == [7, 2, 5]


def test_cat_pads_shorter_rows():
    boxes = Prompts.from_boxes([[1, 2, 3, 4]], instance_index=torch.tensor([4]))
    clicks = Prompts.from_points([[[5, 6], [7, 8]]], image_index=torch.tensor([1]))
    joined = Prompts.cat([boxes, Prompts.empty(), clicks])
    assert joined.labels.tolist() == [[2, 3, -1], [1, 1, -1]]
    assert joined.image_index.tolist() == [0, 1]
    assert joined.instance_index.tolist() == [4, 0]
    assert joined.has_box.tolist() == [True, False]
    with pytest.raises(ValueError, match='no box'):
        _ = joined.boxes


def test_cat_refuses_to_invent_masks():
    with_mask = Prompts.from_boxes([[0, 0, 1, 1]], masks=torch.zeros(1, 1, 4, 4))
    assert Prompts.cat([with_mask, with_mask]).masks.shape == (2, 1, 4, 4)
    with pytest.raises(ValueError, match='mask prompts'):
        Prompts.cat([with_mask, Prompts.from_boxes([[0, 0, 1, 1]])])


def test_scale_uses_each_images_factors():
    prompts = Prompts.from_points([[[10, 20]], [[10, 20]]], image_index=torch.tensor([0, 1]))
    scaled = prompts.scale(torch.tensor([[2.0, 0.5], [1.0, 3.0]]))
    assert scaled.coords.tolist() == [[[20, 10], [0, 0]], [[10, 60], [0, 0]]]
    with pytest.raises(ValueError, match='image 1'):
        prompts.scale(torch.ones(1, 2))
    with pytest.raises(ValueError, match=r'\(B, 2\) for x and y; got \(2,\)'):
        prompts.scale(torch.ones(2))


def test_to_carries_every_field():
    prompts = Prompts.from_boxes(
        [[1, 2, 3, 4]],
        image_index=torch.tensor([2]),
        instance_index=torch.tensor([3]),
        masks=torch.ones(1, 1, 4, 4),
    )
    moved = prompts.to('cpu')
    for name in ('coords', 'labels', 'image_index', 'instance_index', 'masks'):
        assert torch.equal(getattr(moved, name), getattr(prompts, name))


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: Prompts.from_points(torch.zeros(3, 2)), r'\(N, P, 2\)'),
        (lambda: Prompts.from_points(torch.zeros(1, 1, 2), labels=[[2]]), 'labels of points'),
        (lambda: Prompts.from_points(torch.zeros(1, 1, 2), labels=[[1, 1]]), 'one per point'),
        (lambda: Prompts.from_points([[[float('nan'), 1]]]), 'not finite'),
        (lambda: Prompts.from_boxes(torch.zeros(3)), r'\(N, 4\)'),
        (lambda: Prompts(torch.zeros(1, 2, 2), torch.tensor([[2, 1]])), 'one box'),
        (lambda: Prompts(torch.zeros(1, 1, 2), torch.tensor([[4]])), 'labels must be'),
        (lambda: Prompts(torch.zeros(1, 2, 2), torch.ones(1, 1).long()), 'one per coordinate'),
        (
            lambda: Prompts.from_boxes(torch.zeros(2, 4), image_index=torch.tensor([0])),
            'image_index',
        ),
        (
            lambda: Prompts.from_boxes(torch.zeros(1, 4), instance_index=torch.tensor([-1])),
            'negative',
        ),
        (lambda: Prompts.from_boxes(torch.zeros(1, 4), masks=torch.zeros(2, 1, 4, 4)), 'masks'),
    ],
)
def test_bad_records_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ('prompts', 'message'),
    [
        (Prompts.from_points([[[31, 5]]]), 'point outside'),
        (Prompts.from_points([[[-1, 5]]], labels=[[0]]), 'point outside'),
        (Prompts.from_boxes([[4, 4, 4, 9]]), 'without area'),
        (Prompts.from_boxes([[30, 0, 40, 10]]), 'box outside'),
        (Prompts.from_boxes([[0, 0, 9, 9]], image_index=torch.tensor([1])), 'image 1'),
    ],
)
def test_check_inside_refuses(prompts, message):
    with pytest.raises(ValueError, match=message):
        prompts.given().check_inside((20, 30))


def test_check_inside_accepts_what_touches_the_image():
    Prompts.cat(
        [Prompts.from_points([[[0, 0]], [[30, 20]]]), Prompts.from_boxes([[-5, -5, 40, 1]])]
    ).given().check_inside((20, 30))
