"""Everything mode: each object once, filters, limits, crops, names; finding by text."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from PIL import Image

from ovsam.apis import EverythingMode, OVSAMPredictor, Prediction
from ovsam.evaluation.everything_ovsam import EverythingOVSAM
from ovsam.prompts.tokens import BOX_TOP_LEFT
from ovsam.vocabulary import Vocabulary

GREY = (90, 90, 90)
FEW = dict(points_per_side=8, pred_iou_thresh=0.5)


@pytest.fixture
def predictor(colour_model, scene):
    predictor = OVSAMPredictor(colour_model, vocabulary=['cat', 'dog', 'sea lion'])
    predictor.set_image(scene[0])
    return predictor


def found_boxes(found):
    return [tuple(box) for box in found.boxes.round().astype(int).tolist()]


def test_nothing_there(predictor):
    predictor.set_image(np.full((100, 150, 3), GREY, np.uint8))
    found = predictor.everything(**FEW)
    assert len(found) == 0 and found.masks.shape == (0, 100, 150) and found.masks.dtype == bool
    assert found.labels == [] and found.top_scores.shape == (0, 3) and found.to_coco() == []
    assert len(predictor.find('a tree', **FEW)) == 0
    assert len(found.to_data_sample().pred_instances) == 0


def test_each_object_once_best_first(predictor, scene, colour_model):
    found = predictor.everything(**FEW)
    assert sorted(found_boxes(found)) == sorted(scene[1])
    assert (np.diff(found.quality) <= 0).all() and len(found.labels) == 3
    assert found.low_res_logits.shape == (3, 128, 128) and (found.stability > 0.9).all()
    for mask, box in zip(found.masks, found.boxes):
        assert mask.sum() == pytest.approx((box[2] - box[0]) * (box[3] - box[1]), rel=0.05)
    assert colour_model.calls['points'] == 64 and colour_model.calls['images'] == 1


def test_a_resized_image(predictor):
    image = np.full((150, 300, 3), GREY, np.uint8)
    image[30:90, 50:200] = (200, 0, 0)
    predictor.set_image(image)
    found = predictor.everything(points_per_side=8, pred_iou_thresh=0.8)
    np.testing.assert_allclose(found.boxes, [[50, 30, 200, 90]], atol=3)


def test_chunks_do_not_change_the_result(predictor, colour_model, scene, monkeypatch):
    whole = predictor.everything(**FEW)
    monkeypatch.setattr(colour_model, 'chunk_size', 7)
    (image,) = predictor.encode([scene[0]])
    parts = EverythingMode(**FEW)(colour_model, image)
    assert max(colour_model.calls['chunks'][1:]) == 7
    assert found_boxes(parts) == found_boxes(whole)
    np.testing.assert_allclose(parts.low_res_logits, whole.low_res_logits)


@pytest.mark.parametrize(
    'settings, count',
    [
        (dict(pred_iou_thresh=0.0), 4),  # the ground, too
        (dict(pred_iou_thresh=0.965), 1),
        (dict(min_mask_area=2100), 2),
        (dict(max_mask_area=2100), 1),
        (dict(min_mask_area=2100, max_mask_area=5000), 1),
        (dict(pred_iou_thresh=0.0, min_mask_area=20000), 1),
    ],
)
def test_filters_and_limits(predictor, settings, count):
    assert len(predictor.everything(**{**FEW, **settings})) == count


def test_only_what_is_kept_is_embedded(predictor, colour_model, monkeypatch):
    embed, rows = colour_model.region_embeddings, []
    monkeypatch.setattr(
        colour_model,
        'region_embeddings',
        lambda features, regions, bank: (
            rows.append(len(regions.low_res)) or embed(features, regions)
        ),
    )
    found = predictor.everything(**FEW, min_mask_area=2100)
    assert rows == [len(found)] == [2] and found.region_embeddings.shape[0] == 2
    assert found.stability.shape == found.quality.shape == (2,)
    assert predictor.everything(**FEW, min_mask_area=200 * 200).masks.shape[0] == 0


def test_unstable_masks_are_left_out(predictor, colour_model, monkeypatch):
    segment = colour_model.segment
    monkeypatch.setattr(
        colour_model, 'segment', lambda *args: (segment(*args)[0].clamp(max=0.5), segment(*args)[1])
    )
    assert len(predictor.everything(**FEW)) == 0
    assert len(predictor.everything(**FEW, stability_score_thresh=0.0)) == 3


def test_a_model_without_quality_goes_by_stability(predictor, colour_model, monkeypatch):
    segment = colour_model.segment
    monkeypatch.setattr(colour_model, 'segment', lambda *args: (segment(*args)[0], None))
    found = predictor.everything(points_per_side=8, pred_iou_thresh=1.0)
    assert len(found) == 4 and found.quality is None
    assert (np.diff(found.stability) <= 0).all()


def test_all_guesses_of_a_decoder_with_several(predictor, colour_model, monkeypatch):
    segment = colour_model.segment

    def several(features, prompts):
        logits, quality = segment(features, prompts)
        first = torch.full_like(logits, -6.0)
        return torch.cat([first, logits, first, -logits], 1), torch.cat([quality] * 4, 1)

    monkeypatch.setattr(colour_model, 'segment', several)
    monkeypatch.setattr(colour_model.mask_decoder, 'num_mask_tokens', 4)
    found = predictor.everything(**FEW)
    # The objects, and an object's surroundings, whose boxes are all the whole image.
    assert len(found) == 4 and found_boxes(found).count((0, 0, 256, 256)) == 1


def test_the_models_own_settings(predictor, colour_model, monkeypatch):
    monkeypatch.setattr(colour_model, 'everything', dict(FEW, pred_iou_thresh=0.0))
    assert len(predictor.everything()) == 4
    assert len(predictor.everything(pred_iou_thresh=0.5)) == 3


def test_crops_find_what_is_small(predictor, colour_model, scene):
    image, boxes = scene
    image = image.copy()
    image[221:228, 221:228] = (250, 240, 0)  # between the points of 8 x 8
    predictor.set_image(image)
    assert len(predictor.everything(**FEW)) == 3
    found = predictor.everything(**FEW, crop_n_layers=1, crop_nms_thresh=0.5)
    assert colour_model.calls['images'] == 1 + 1 + 4
    assert found.low_res_logits is None and found.masks.shape[1:] == (256, 256)
    # Objects that crops cut through are there whole, and only once.
    truth = np.array([*boxes, (221, 221, 228, 228)])
    np.testing.assert_allclose(sorted(found.boxes.tolist()), sorted(truth.tolist()), atol=2.5)
    assert (np.diff(found.quality) <= 0).all()


def test_masks_are_made_once_per_image(predictor, colour_model, scene):
    calls = colour_model.calls
    first = predictor.everything(**FEW)
    predictor.set_vocabulary('tree,house')
    second = predictor.everything(**FEW)
    predictor.find('a red cat', **FEW)
    predictor.find(['a red cat', 'a fox'], **FEW)
    assert calls['points'] == 64 and calls['images'] == 1
    assert np.array_equal(second.masks, first.masks) and second.labels[0] in ('tree', 'house')
    predictor.everything(**{**FEW, 'points_per_side': 4})
    assert calls['points'] == 64 + 16
    predictor.set_image(scene[0][::-1].copy())
    flipped = predictor.everything(**{**FEW, 'points_per_side': 8})
    assert calls['images'] == 2 and found_boxes(flipped) != found_boxes(first)


def test_before_an_image(colour_model):
    predictor = OVSAMPredictor(colour_model, vocabulary=['cat', 'dog'])
    for call in (predictor.everything, lambda: predictor.find('a fox')):
        with pytest.raises(RuntimeError, match='set_image'):
            call()


@pytest.mark.parametrize(
    'settings, error, message',
    [
        (dict(points_per_side=0), ValueError, 'points_per_side must be at least 1'),
        (dict(pred_iou_thresh=1.5), ValueError, r'pred_iou_thresh must be in \[0, 1\]'),
        (dict(crop_n_layers=-1), ValueError, 'crop_n_layers'),
        (dict(min_mask_area=5, max_mask_area=4), ValueError, 'max_mask_area is 4'),
        (dict(points=3), TypeError, 'points'),
        (dict(top_k=0), ValueError, 'top_k'),
    ],
)
def test_bad_settings_leave_the_state_intact(predictor, colour_model, settings, error, message):
    before, calls = predictor.everything(**FEW), dict(colour_model.calls)
    with pytest.raises(error, match=message):
        predictor.everything(**settings)
    assert np.array_equal(predictor.everything(**FEW).masks, before.masks)
    assert colour_model.calls == calls  # nothing was made again


def test_tiny_and_narrow_images(predictor, colour_model):
    predictor.set_image(np.zeros((1, 1, 3), np.uint8))
    found = predictor.everything(points_per_side=2, pred_iou_thresh=0.0, crop_n_layers=1)
    assert found.boxes.tolist() == [[0, 0, 1, 1]]
    with pytest.raises(ValueError, match='too narrow: 20 x 20000 pixels'):
        predictor.set_image(np.zeros((20000, 20, 3), np.uint8))
    assert predictor.image_size == (1, 1)


@pytest.mark.parametrize('text', ['a red cat', 'fox/vixen'])
@pytest.mark.parametrize('synonyms', [{}, {'cat': ['cat', 'kitty', 'puss']}])
def test_find_scores_as_if_it_were_a_name(predictor, synonyms, text):
    predictor.set_vocabulary(Vocabulary(['cat', 'dog'], seen=['dog'], synonyms=synonyms))
    found = predictor.find(text, threshold=0.0, top_k=9, **FEW)
    assert found.labels == [text] * 3 and (np.diff(found.label_scores) <= 0).all()
    predictor.set_vocabulary(Vocabulary(['cat', 'dog', text], seen=['dog'], synonyms=synonyms))
    named = predictor.everything(top_k=9, **FEW)
    expected = sorted(
        dict(zip(names, scores))[text] for names, scores in zip(named.top_names, named.top_scores)
    )
    np.testing.assert_allclose(sorted(found.label_scores), expected, rtol=1e-5)


def test_find_leaves_the_vocabulary_as_it_was(predictor):
    before, named = predictor.vocabulary, predictor.everything(**FEW)
    predictor.find('a fox', **FEW)
    assert predictor.vocabulary is before
    assert predictor.everything(**FEW).to_coco() == named.to_coco()


def test_find_by_threshold_and_by_name(predictor):
    scores = predictor.find('sea_lion', threshold=0.0, **FEW).label_scores
    kept = predictor.find('sea_lion', threshold=float(scores[1]), **FEW)
    assert len(kept) == 2
    # As named, for it is in the vocabulary.
    named = predictor.everything(top_k=3, **FEW)
    expected = sorted(
        dict(zip(names, scores))['sea lion']
        for names, scores in zip(named.top_names, named.top_scores)
    )
    np.testing.assert_allclose(sorted(scores), expected, rtol=1e-5)


def test_find_one_of_several(predictor):
    found = predictor.find(['a fox', 'an owl'], threshold=0.0, **FEW)
    assert len(found) == 3 and set(found.labels) <= {'a fox', 'an owl'}
    for row in range(3):
        scores = dict(zip(found.top_names[row], found.top_scores[row]))
        assert found.label_scores[row] == pytest.approx(max(scores['a fox'], scores['an owl']))


def test_texts_that_are_the_same_to_the_model(predictor):
    before = predictor.vocabulary
    one = predictor.find('a cat', threshold=0.0, top_k=9, **FEW)
    with pytest.warns(UserWarning, match="'A cat' = 'a cat'"):
        both = predictor.find(['a cat', 'A cat'], threshold=0.0, top_k=9, **FEW)
    assert both.to_coco() == one.to_coco() and set(both.labels) == {'a cat'}
    with pytest.warns(UserWarning, match='more than once'):
        assert (
            predictor.find(['a cat', ' a\u00a0cat'], threshold=0.0, top_k=9, **FEW).to_coco()
            == one.to_coco()
        )
    # What is a name of the vocabulary is that name, though called as it was asked for.
    named = predictor.find('cat', threshold=0.0, top_k=9, **FEW)
    for text in ('Cat', 'ｃａｔ', 'c&#97;t'):
        found = predictor.find(text, threshold=0.0, top_k=9, **FEW)
        assert set(found.labels) == {text} and found.top_names == named.top_names
        assert np.array_equal(found.label_scores, named.label_scores)
    assert predictor.vocabulary is before
    with pytest.raises(ValueError, match='nothing to tell'):
        predictor.find(['c&#97;t', 'dog', 'sea lion'], **FEW)


def test_find_among_prompted_masks(predictor, scene):
    found = predictor.predict(boxes=scene[1][:2])
    again = predictor.find('a fox', threshold=0.0, among=found)
    assert sorted(again.prompt_index) == [0, 1] and again.labels == ['a fox'] * 2
    none = predictor.find('a fox', threshold=0.0, among=found.select([]))
    assert none.labels == [] and none.top_scores.shape == (0, 4)


@pytest.mark.parametrize(
    'texts, threshold, error, message',
    [
        ('', 0.5, ValueError, 'empty'),
        ([], 0.5, ValueError, 'at least one name'),
        ('&nbsp;', 0.5, ValueError, r"nothing in them .*'&nbsp;'"),
        ([3], 0.5, TypeError, None),
        ('a fox', 2.0, ValueError, 'threshold'),
        (['cat', 'dog', 'sea lion'], 0.5, ValueError, 'nothing to tell cat, dog'),
    ],
)
def test_bad_texts(predictor, texts, threshold, error, message):
    with pytest.raises(error, match=message):
        predictor.find(texts, threshold, **FEW)
    assert predictor.vocabulary.names == ('cat', 'dog', 'sea lion')


def test_model_without_names(random_sam, scene):
    predictor = OVSAMPredictor(random_sam)
    predictor.set_image(scene[0])
    found = predictor.everything(points_per_side=2, pred_iou_thresh=0.0, stability_score_thresh=0.0)
    assert isinstance(found, Prediction) and found.labels is None
    with pytest.raises(ValueError, match='SAM gives masks without names'):
        predictor.find('a fox')


@pytest.mark.parametrize('gain, shift', [(0.05, 4), (-0.05, 0)])
def test_refinement_keeps_the_better_mask(predictor, colour_model, monkeypatch, gain, shift):
    """Of boxes this decoder makes masks that lie four pixels to the right."""
    before = found_boxes(predictor.everything(**FEW))
    by_colour = colour_model.segment

    def segment(features, prompts):
        logits, quality = by_colour(features, prompts)
        boxed = prompts.labels[:, 0] == BOX_TOP_LEFT
        return (
            torch.where(boxed[:, None, None, None], logits.roll(2, dims=-1), logits),
            quality + gain * boxed[:, None],
        )

    monkeypatch.setattr(colour_model, 'segment', segment)
    colour_model.calls['points'] = 0
    after = predictor.everything(**FEW, box_refinement=True)
    assert found_boxes(after) == [(x1 + shift, y1, x2 + shift, y2) for x1, y1, x2, y2 in before]
    assert colour_model.calls['points'] == 64 + 3


def test_refinement_of_nothing(predictor):
    predictor.set_image(np.full((100, 150, 3), GREY, np.uint8))
    assert len(predictor.everything(**FEW, box_refinement=True)) == 0


@pytest.mark.parametrize('turned', [False, True])
def test_evaluation_asks_the_predictor(
    predictor, colour_model, scene, tmp_path, monkeypatch, turned
):
    path, exif = tmp_path / 'scene.png', Image.Exif()
    exif[0x0112] = 6 if turned else 1  # the annotation counts with the picture as it is stored
    image = scene[0][:210]
    Image.fromarray(image).save(path, exif=exif)
    predictor.set_image(image)
    monkeypatch.setattr(colour_model, 'everything', FEW)
    monkeypatch.setattr(colour_model, 'vocabulary', predictor.vocabulary)
    monkeypatch.setattr(colour_model, 'own_bank', predictor.bank)
    sample = DetDataSample(metainfo=dict(img_path=str(path), ori_shape=image.shape[:2]))
    (sample,) = EverythingOVSAM.predict(colour_model, None, [sample])
    expected = predictor.everything(**FEW)
    found = sample.pred_instances
    np.testing.assert_array_equal(found.masks.numpy(), expected.masks)
    names = predictor.vocabulary.names
    assert [names[label] for label in found.labels.tolist()] == expected.labels
    np.testing.assert_allclose(found.scores.numpy(), expected.label_scores)
