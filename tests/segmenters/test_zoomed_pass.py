import pytest
import torch
import torch.nn.functional as F

from ovsam.masks.answers import FirstMask
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

    def region_embeddings(self, features, regions, bank=None):
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
    """Also corrections outside the first answer, and the mask so far."""
    images = picture((20, 20, 30, 30))
    images[:, :, 40, 44] = 7.0  # under the second click
    masks = F.avg_pool2d(images[:, :1], 4)
    prompts = Prompts.from_points([[[25.0, 25.0], [44.5, 40.5]]], [[1, 0]], masks=masks)
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
    found, _, _ = look(picture(box), Prompts.from_boxes([box]), ZoomedPass(context=2.0))
    assert found.quality.tolist() == [pytest.approx(0.6)]
    assert found.opinions[0].tolist() == [[16, 16, 48, 48]]


def test_no_prompts():
    found, _, _ = look(picture(), Prompts.from_boxes(torch.zeros(0, 4)))
    assert len(found.low_res) == 0 and found.opinions == ()


def test_an_object_must_not_be_cut_off():
    with pytest.raises(ValueError, match=r'context is 0\.5: it must be at least 1'):
        ZoomedPass(context=0.5)


def test_a_model_without_images_is_refused():
    segmenter, prompts = ReadsBrightness(), Prompts.from_boxes([(4, 4, 16, 16)])
    features = segmenter.encode_image(picture())._replace(images=())
    with pytest.raises(ValueError, match='a ReadsBrightness keeps no images to zoom in on'):
        ZoomedPass()(segmenter, features, prompts, torch.zeros(1, 16, 16), None)
