"""The same masks and names as in torch."""

from pathlib import Path

import numpy as np
import pytest

MODELS = ['mini', 'mini-interactive', 'photo']


@pytest.fixture(scope='module', params=MODELS)
def pair(request, both, picture):
    made = both(request.param)
    for predictor in made[:2]:
        predictor.set_image(str(picture))
    return made


@pytest.fixture
def prompts(pair):
    """Points (N, 1, 2) and boxes (N, 4) all over the image; one where each is zoomed in on."""
    count = 1 if pair.onnx.model.zoomed_at_once else 4
    draw = np.random.default_rng(0).random
    height, width = pair.onnx.image_size
    low = draw((count, 2)) * [0.6 * width, 0.6 * height]
    boxes = np.concatenate([low, low + 10 + draw((count, 2)) * [0.3 * width, 0.3 * height]], axis=1)
    return draw((count, 1, 2)) * [width, height], boxes


def assert_same(found, expected):
    assert len(found) == len(expected) and found.masks.shape == expected.masks.shape
    assert (found.masks == expected.masks).mean() > 0.999
    assert found.labels == expected.labels and found.top_names == expected.top_names
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1)
    for column in ('quality', 'stability', 'label_scores', 'top_scores'):
        np.testing.assert_allclose(getattr(found, column), getattr(expected, column), atol=1e-3)
    np.testing.assert_allclose(
        found.region_embeddings, expected.region_embeddings.numpy(), atol=1e-4
    )
    if expected.prompt_index is not None:
        assert found.prompt_index.tolist() == expected.prompt_index.tolist()


def in_both(pair, method, *args, **kwargs):
    expected, found = (getattr(each, method)(*args, **kwargs) for each in pair[:2])
    assert_same(found, expected)
    return found


def test_no_prompts(pair):
    found = pair.onnx.predict(np.zeros((0, 1, 2)))
    expected = pair.torch.predict(np.zeros((0, 1, 2)))
    assert len(found) == 0 and found.labels == [] and found.masks.shape == expected.masks.shape
    assert found.low_res_logits.shape == expected.low_res_logits.shape
    assert found.region_embeddings.shape == expected.region_embeddings.shape


def test_clicks_boxes_and_both(pair, prompts):
    points, boxes = prompts
    in_both(pair, 'predict', points)
    two = np.concatenate([points, points[::-1] / 2], axis=1)[:2]
    in_both(pair, 'predict', two, [[1, 0], [1, -1]][: len(two)])
    in_both(pair, 'predict', boxes=boxes)
    in_both(pair, 'predict', points, boxes=boxes)


def test_one_prompt_and_many(pair, monkeypatch):
    """More than are zoomed in on, or else decoded, at once."""
    model, (height, width) = pair.onnx.model, pair.onnx.image_size
    if model.zoomed_at_once:
        monkeypatch.setitem(model.settings['masks'], 'zoomed_at_once', 2)
        monkeypatch.setattr(pair.torch.model.zoomed_pass, 'at_once', 2)
    else:
        monkeypatch.setitem(model.settings, 'chunk_size', 2)
        monkeypatch.setattr(pair.torch.model, 'chunk_size', 2)
    points = np.random.default_rng(1).random((3, 1, 2)) * [width, height]
    in_both(pair, 'predict', points[0])
    in_both(pair, 'predict', points)


def test_a_correction(pair, prompts, recwarn):
    points, boxes = prompts
    first = in_both(pair, 'predict', boxes=boxes)
    in_both(pair, 'predict', points, boxes=boxes, mask_input=first.low_res_logits)
    warned = [each for each in recwarn if 'did not learn to go on from' in str(each.message)]
    one_mask = pair.onnx.model.settings['masks']['count'] == 1
    assert {Path(each.filename).name for each in warned} == (
        {Path(__file__).name} if one_mask else set()
    )


def test_several_masks(pair, prompts):
    if pair.onnx.model.settings['masks']['count'] == 1:
        with pytest.raises(ValueError, match='this decoder gives one mask per prompt'):
            pair.onnx.predict(prompts[0], multimask_output=True)
    else:
        in_both(pair, 'predict', prompts[0], multimask_output=True)


def test_least_score(pair, prompts):
    found = in_both(pair, 'predict', prompts[0], none_threshold=1.0)
    assert set(found.labels) == {'none of these'}


def test_region_features(pair, prompts):
    points, boxes = prompts
    # They end where cells of all sizes do, so that none is half full.
    height, width = pair.onnx.image_size
    masks = np.zeros((2, height, width), bool)
    masks[0, : height // 2, : width // 2] = masks[1, height // 4 :, width // 2 :] = True
    described = pair.torch._encoded().described(pair.torch.model, masks)
    for given, expected in (
        (dict(point_coords=np.zeros((0, 1, 2))), pair.torch.predict(np.zeros((0, 1, 2)))),
        (dict(point_coords=points), pair.torch.predict(points)),
        (dict(boxes=boxes), pair.torch.predict(boxes=boxes)),
        (dict(masks=masks), described),
    ):
        found = pair.onnx.region_features(**given)
        assert [*found] == ['head', 'clip']
        for rows, opinion in zip(found.values(), expected.region_embeddings.unbind(dim=1)):
            assert rows.dtype == np.float32
            np.testing.assert_allclose(rows, opinion.detach().numpy(), atol=1e-4)


@pytest.mark.parametrize('prompt', ['box', 'point'])
def test_a_second_look(both, picture, prompt, monkeypatch):
    pair = both(f'configs/mini/ovsam_base_second_look_{prompt}.py')
    for predictor in pair[:2]:
        predictor.set_image(str(picture))
    height, width = pair.onnx.image_size
    boxes = [[x, y, x + width / 3, y + height / 3] for x in (1, width / 2) for y in (1, height / 2)]
    found = in_both(pair, 'predict', boxes=boxes)
    # Without names nothing is in doubt.
    monkeypatch.setattr(pair.onnx, 'vocabulary', None)
    before = pair.onnx.predict(boxes=boxes).region_embeddings
    changed = (found.region_embeddings != before).any(axis=2)
    assert changed[:, 1].any() and not changed[:, 0].any()


def test_everything_and_find(both, picture):
    pair = both('mini')
    for predictor in pair[:2]:
        predictor.set_image(str(picture))
    settings = dict(points_per_side=6, pred_iou_thresh=0.3, stability_score_thresh=0.3)
    found = in_both(pair, 'everything', **settings)
    assert len(found)
    asked = [found.labels[0], found.labels[-1]]
    in_both(pair, 'find', asked, threshold=0.0, **settings)
    settings.update(points_per_side=3, crop_n_layers=1, box_refinement=True, min_mask_area=20)
    assert in_both(pair, 'everything', **settings).low_res_logits is None
