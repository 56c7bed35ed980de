import pytest
import torch
import torch.nn.functional as F

from ovsam.masks.crop_regions import crop_regions
from ovsam.parts.mask_decoder import FirstMask
from ovsam.prompts import Prompts
from ovsam.segmenters import ZoomedPass
from ovsam.segmenters.image_features import ImageFeatures

SIDE = 64


class ReadsBrightness:
    """Segments what is bright, at a quarter of the input's resolution."""

    mask_choice = FirstMask()
    quality = 0.5

    def __init__(self):
        self.seen = []

    def encode_image(self, inputs):
        return ImageFeatures(F.avg_pool2d(inputs, 4), images=(inputs,))

    def segment(self, features, prompts):
        self.seen.append((features, prompts))
        masks = features.embedding[prompts.image_index, :1]
        return masks, torch.full((len(prompts), 1), self.quality)

    def first_opinions(self, features, regions):
        return (regions.rois['prompt'][:, 1:],)


def picture(*boxes):
    image = torch.full((1, 3, SIDE, SIDE), -1.0)
    for x1, y1, x2, y2 in boxes:
        image[:, :, y1:y2, x1:x2] = 1
    return image


def look(images, prompts, zoom=None, quality=0.7):
    segmenter = ReadsBrightness()
    features = segmenter.encode_image(images)
    low_res = segmenter.segment(features, prompts)[0][:, 0]
    found = (zoom or ZoomedPass())(
        segmenter, features, prompts, low_res, torch.full((len(prompts),), quality)
    )
    return found, low_res, segmenter


def overlap(logits, box):
    x1, y1, x2, y2 = box
    truth = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    truth[y1:y2, x1:x2] = True
    found = logits > 0
    return float((found & truth).sum() / (found | truth).sum())


@pytest.mark.parametrize('by', ['box', 'point'])
@pytest.mark.parametrize('box', [(21, 30, 32, 39), (1, 2, 10, 13), (50, 53, 63, 63)])
def test_small_objects_get_finer_masks(box, by):
    images = picture(box)
    middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    prompts = Prompts.from_boxes([box]) if by == 'box' else Prompts.from_points([[middle]])
    found, low_res, _ = look(images, prompts)
    coarse = F.interpolate(low_res[:, None], (SIDE, SIDE), mode='bilinear')[0, 0]
    assert found.low_res.shape == (1, SIDE, SIDE)
    assert overlap(found.low_res[0], box) > overlap(coarse, box)
    assert overlap(found.low_res[0], box) > 0.85


def test_each_prompt_is_looked_at_in_its_own_image():
    boxes = [(4, 4, 16, 16), (40, 44, 52, 56)]
    images = torch.cat([picture(box) for box in boxes])
    prompts = Prompts.from_boxes(boxes, image_index=torch.tensor([0, 1]))
    found, _, _ = look(images, prompts)
    for logits, box in zip(found.low_res, boxes):
        assert overlap(logits, box) > 0.85


def test_more_prompts_than_are_encoded_at_once():
    boxes = [(4 + index, 4, 16 + index, 16) for index in range(40)]
    found, _, segmenter = look(picture((4, 4, 56, 16)), Prompts.from_boxes(boxes))
    assert len(found.low_res) == len(found.quality) == len(found.opinions[0]) == 40
    assert len(segmenter.seen) == 1 + 3


def test_prompts_mean_the_same_place_in_the_square():
    """Also corrections outside the first answer, which is the mask prompt."""
    images = picture((20, 20, 30, 30))
    images[:, :, 40, 44] = 7.0  # under the second click
    prompts = Prompts.from_points([[[25.0, 25.0], [44.5, 40.5]]], [[1, 0]])
    _, _, segmenter = look(images, prompts)
    features, zoomed = segmenter.seen[-1]
    x, y = zoomed.coords[0, 1].floor().long().tolist()
    assert features.images[0][0, 0, y, x] > 3
    assert zoomed.labels.tolist() == prompts.labels.tolist()
    seen = features.embedding[0, 0]
    assert ((zoomed.masks[0, 0] > 0) == (seen > 0)).float().mean() > 0.9


def test_an_empty_answer_is_looked_for_around_the_click():
    _, _, segmenter = look(picture(), Prompts.from_points([[[10.0, 50.0]]]))
    _, zoomed = segmenter.seen[-1]
    assert zoomed.coords[0, 0].tolist() == [SIDE / 2, SIDE / 2]


def test_quality_is_the_mean_and_opinions_are_of_the_square():
    box = (20, 20, 36, 36)
    found, _, _ = look(picture(box), Prompts.from_boxes([box]), ZoomedPass(contexts=(2.0,)))
    assert found.quality.tolist() == [pytest.approx(0.6)]
    square = F.normalize(torch.tensor([[16.0, 16, 48, 48]]), dim=-1)
    torch.testing.assert_close(found.opinions[0], square)


def test_several_squares_around_each_prompt():
    """More prompts than are encoded at once; each gets the mean of what its own squares show."""
    boxes = [(4 + index, 20, 20 + index, 36) for index in range(20)]
    once, _, _ = look(picture((4, 20, 40, 36)), Prompts.from_boxes(boxes), ZoomedPass((2.0,)))
    twice, _, segmenter = look(
        picture((4, 20, 40, 36)), Prompts.from_boxes(boxes), ZoomedPass((2.0, 2.0))
    )
    assert [len(seen[0].embedding) for seen in segmenter.seen[1:]] == [16, 16, 8]
    torch.testing.assert_close(once.opinions[0], twice.opinions[0])
    assert twice.quality.tolist() == pytest.approx([(0.7 + 2 * 0.5) / 3] * 20)
    wide, _, _ = look(picture((4, 20, 40, 36)), Prompts.from_boxes(boxes), ZoomedPass((2.0, 4.0)))
    mean = F.normalize(torch.tensor([40.0, 40, 88, 88]), dim=-1)  # 16 to 48, and 24 to 40
    torch.testing.assert_close(wide.opinions[0], mean.expand(20, -1))


def test_squares_are_encoded_at_a_side_of_their_own():
    """Prompts stay in the pixels of a whole image."""
    box = (10, 12, 34, 40)
    (small, full) = (
        look(picture(box), Prompts.from_boxes([box]), ZoomedPass((2.0,), encoded_side=side))
        for side in (SIDE // 2, None)
    )
    (features, prompts), (_, expected) = small[2].seen[1], full[2].seen[1]
    assert features.embedding.shape[-1] == SIDE // 8
    assert torch.equal(prompts.coords, expected.coords)
    assert overlap(small[0].low_res[0], box) > 0.85


def test_looks_count_by_their_weights():
    nothing = Prompts.from_boxes(torch.zeros(0, 4))
    zoom = ZoomedPass((2.0,), weights=(1, 2), mirrored=(2.0,))
    assert len(look(picture(), nothing, zoom)[0].low_res) == 0
    box = (20, 20, 36, 36)
    alone = [
        look(picture(box), Prompts.from_boxes([box]), ZoomedPass((2.0, 4.0), weights=weights))[0]
        for weights in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 6, 3))
    ]
    first, near, far, mixed = (found.low_res for found in alone)
    torch.testing.assert_close(mixed, 0.1 * first + 0.6 * near + 0.3 * far)
    assert not torch.allclose(near, far)


def test_a_mirrored_square_gives_the_mask_where_it_is():
    """What is mirrored shows the box and the mask prompt on the other side, corners in order."""
    box = (12, 20, 20, 40)
    images = picture(box)
    images[:, :, 8:24, 30:44] = 1  # something else on the right
    plain, mirrored = (
        look(images, Prompts.from_boxes([box]), ZoomedPass((3.0, 4.0), mirrored=contexts))
        for contexts in ((), (4.0,))
    )
    torch.testing.assert_close(plain[0].low_res, mirrored[0].low_res, atol=1e-4, rtol=0)
    (features, prompts), (seen, flipped) = plain[2].seen[-1], mirrored[2].seen[-1]
    torch.testing.assert_close(seen.images[0][0], features.images[0][0])
    torch.testing.assert_close(seen.images[0][1], features.images[0][1].flip(-1))
    torch.testing.assert_close(flipped.masks[1], prompts.masks[1].flip(-1))
    torch.testing.assert_close(flipped.boxes[0], prompts.boxes[0])
    x1, y1, x2, y2 = prompts.boxes[1].tolist()
    assert flipped.boxes[1].tolist() == pytest.approx([SIDE - x2, y1, SIDE - x1, y2])
    assert flipped.labels.tolist() == prompts.labels.tolist()


@pytest.mark.parametrize('count', [0, 3])
def test_regions_to_learn_on(count):
    """What a region's box shows is the same in the picture and in its square."""
    torch.manual_seed(0)
    boxes = torch.tensor([[20, 20, 40, 36], [2, 2, 34, 20], [40, 40, 52, 60.0]])[:count]
    rois = torch.cat([torch.zeros(count, 1), boxes], dim=1)
    images = F.interpolate(torch.rand(1, 3, 6, 6), (SIDE, SIDE), mode='bilinear')
    squares, own = ZoomedPass((1.3, 2.5)).at_random(images, rois)
    assert squares.shape == (count, 3, SIDE, SIDE) and own[:, 0].tolist() == [*range(count)]
    for index, box in enumerate(boxes):
        share = (own[index, 3:] - own[index, 1:3]).amax() / SIDE
        assert 1 / 2.5 - 1e-4 <= share <= 1 / 1.3 + 1e-4
        inside = crop_regions(images, rois[index : index + 1], 8, context=1.0)
        again = crop_regions(squares, own[index : index + 1], 8, context=1.0)
        if bool((box > 0).all()) and float(box.max()) < SIDE - 8:
            assert (inside - again).abs().mean() < 0.02


def test_no_prompts():
    found, _, _ = look(picture(), Prompts.from_boxes(torch.zeros(0, 4)))
    assert len(found.low_res) == 0 and found.opinions == ()


def test_an_object_must_not_be_cut_off():
    with pytest.raises(ValueError, match=r'\[2\.0, 0\.5\]: give at least one, and each must be at'):
        ZoomedPass(contexts=(2.0, 0.5))
    with pytest.raises(ValueError, match='give at least one'):
        ZoomedPass(contexts=())


@pytest.mark.parametrize('weights', [(), (1, 1, 1), (1, -1), (0, 0)])
def test_weights_that_do_not_fit(weights):
    with pytest.raises(ValueError, match='expected 2, of the first answer and of each context'):
        ZoomedPass(contexts=(2.0,), weights=weights)


def test_a_mirror_for_no_context():
    with pytest.raises(ValueError, match=r'mirrored is \[3\.0\]: expected some of \[2\.0\]'):
        ZoomedPass(contexts=(2.0,), mirrored=(3.0,))


def test_a_model_without_images_is_refused():
    segmenter, prompts = ReadsBrightness(), Prompts.from_boxes([(4, 4, 16, 16)])
    features = segmenter.encode_image(picture())._replace(images=())
    with pytest.raises(ValueError, match='a ReadsBrightness keeps no images to zoom in on'):
        ZoomedPass()(segmenter, features, prompts, torch.zeros(1, 16, 16), None)
