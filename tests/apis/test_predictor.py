"""The interactive predictor: encodes once, answers in original pixels, survives bad calls."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from ovsam.apis import OVSAMPredictor
from ovsam.naming.name_bank import NameBank
from ovsam.vocabulary import Vocabulary

HEIGHT, WIDTH = 200, 300


@pytest.fixture
def predictor(model):
    return OVSAMPredictor(model, vocabulary=['cat', 'dog', 'sea_lion'])


@pytest.fixture
def image():
    blocks = np.random.default_rng(0).integers(0, 255, (10, 15, 3), dtype=np.uint8)
    return cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def calls(model, monkeypatch):
    """How often images were encoded; the mask logits of each decoding; the chunks' lengths."""
    record = {'encoded': 0, 'low_res': [], 'chunks': []}
    encode, segment = model.encode_image, model.segment

    def counted(inputs):
        record['encoded'] += 1
        return encode(inputs)

    def kept(features, prompts):
        masks, quality = segment(features, prompts)
        record['low_res'].append(masks)
        record['chunks'].append(len(prompts))
        return masks, quality

    monkeypatch.setattr(model, 'encode_image', counted)
    monkeypatch.setattr(model, 'segment', kept)
    return record


def test_no_prompts(predictor, image):
    predictor.set_image(image)
    found = predictor.predict(boxes=[])
    assert len(found) == 0 and found.masks.shape == (0, HEIGHT, WIDTH)
    assert found.masks.dtype == bool and found.boxes.shape == (0, 4)
    assert found.labels == [] and found.top_scores.shape == (0, 3)
    assert found.to_coco() == []


def test_before_and_after_an_image(predictor, image):
    assert predictor.image_size is None
    with pytest.raises(RuntimeError, match='set_image'):
        predictor.predict([[1, 1]])
    predictor.set_image(image)
    assert predictor.image_size == (HEIGHT, WIDTH)
    predictor.reset()
    with pytest.raises(RuntimeError, match='set_image'):
        predictor.predict([[1, 1]])


def test_columns_agree(predictor, image):
    predictor.set_image(image)
    found = predictor.predict(boxes=[[10, 20, 100, 90], [150, 5, 290, 199]], top_k=2)
    assert len(found) == 2 and found.masks.shape == (2, HEIGHT, WIDTH)
    assert found.quality.shape == (2,) and found.top_scores.shape == (2, 2)
    for row in range(2):
        assert found.labels[row] == found.top_names[row][0]
        assert found.label_scores[row] == found.top_scores[row, 0] >= found.top_scores[row, 1]
        assert set(found.top_names[row]) <= {'cat', 'dog', 'sea_lion'}
        ys, xs = np.nonzero(found.masks[row])
        box = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        assert found.boxes[row].tolist() == box
    json.dumps(found.to_coco())


def test_one_encoding_serves_all(predictor, image, calls):
    predictor.set_image(image)
    first = predictor.predict([[50, 60]])
    predictor.predict([[[1, 2], [3, 4]]], [[1, 0]], [[0, 0, 50, 60]])
    predictor.set_vocabulary('tree,house')
    other = predictor.predict([[50, 60]])
    assert calls['encoded'] == 1
    assert np.array_equal(first.masks, other.masks)
    assert first.labels[0] in ('cat', 'dog', 'sea_lion') and other.labels[0] in ('tree', 'house')


def test_prompts_are_decoded_in_chunks(predictor, image, calls, monkeypatch):
    monkeypatch.setattr(predictor.model, 'chunk_size', 2)
    predictor.set_image(image)
    points = [[[20 * i + 5, 30]] for i in range(5)]
    together = predictor.predict(points)
    assert calls['chunks'] == [2, 2, 1]
    alone = predictor.predict(points[4])
    assert np.array_equal(together.masks[4], alone.masks[0])
    assert np.allclose(together.top_scores[4], alone.top_scores[0], atol=1e-5)


def test_prompts_are_scaled_as_the_image_is(predictor, image, calls):
    box = np.array([30.0, 40.0, 150.0, 160.0])
    predictor.set_image(image)
    predictor.predict(boxes=box)
    # To 256 pixels on the longer side, as mmdet's Resize does it.
    predictor.set_image(cv2.resize(image, (256, 171), interpolation=cv2.INTER_LINEAR))
    predictor.predict(boxes=box * np.tile([256 / WIDTH, 171 / HEIGHT], 2))
    predictor.predict(boxes=box)
    original, resized, unscaled = calls['low_res']
    assert torch.allclose(original, resized, atol=1e-5)
    assert not torch.allclose(original, unscaled, atol=1e-5)


def test_masks_return_to_the_original_frame(predictor, image, monkeypatch):
    logits = torch.full((1, 1, 128, 128), -1.0)
    logits[..., 16:64, 32:64] = 1.0  # input pixels 64..128 across, 32..128 down
    monkeypatch.setattr(predictor.model, 'segment', lambda *_: (logits, torch.ones(1, 1)))
    predictor.set_image(image)
    expected = [64 * WIDTH / 256, 32 * HEIGHT / 171, 128 * WIDTH / 256, 128 * HEIGHT / 171]
    assert np.allclose(predictor.predict([[9, 9]]).boxes, [expected], atol=2)


def test_same_as_evaluation(predictor, image, model, monkeypatch):
    """The model's own predict, from a test pipeline, gives the same masks and names."""
    from mmdet.structures import DetDataSample
    from mmdet.structures.mask import BitmapMasks
    from mmengine.structures import InstanceData

    predictor.set_image(image)
    monkeypatch.setattr(model, 'own_bank', predictor.bank)
    found = predictor.predict(boxes=[[30, 40, 150, 160]])
    small = cv2.resize(image[..., ::-1], (256, 171), interpolation=cv2.INTER_LINEAR)
    sample = DetDataSample(
        metainfo={
            'ori_shape': (HEIGHT, WIDTH),
            'img_shape': (171, 256),
            'scale_factor': (256 / WIDTH, 171 / HEIGHT),
        }
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[30.0, 40.0, 150.0, 160.0]]),
        labels=torch.zeros(1, dtype=torch.long),
        masks=BitmapMasks(np.zeros((1, HEIGHT, WIDTH), np.uint8), HEIGHT, WIDTH),
    )
    inputs = torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)))
    with torch.no_grad():
        expected = model.test_step({'inputs': [inputs], 'data_samples': [sample]})[0]
    assert np.array_equal(found.masks, expected.pred_instances.masks.numpy())
    assert np.allclose(found.label_scores, expected.pred_instances.scores.numpy())


def test_which_names_count_as_seen(model, monkeypatch):
    monkeypatch.setattr(model, 'vocabulary', Vocabulary(['cat', 'dog'], seen=['cat']))
    predictor = OVSAMPredictor(model)
    for names in (['dog', 'cat', 'tree'], Vocabulary(['dog', 'cat', 'tree'])):
        predictor.set_vocabulary(names)
        assert predictor.vocabulary.seen.tolist() == [False, True, False]
    predictor.set_vocabulary(Vocabulary(['dog', 'cat'], seen=['dog', 'cat']))  # says so itself
    assert predictor.vocabulary.seen.tolist() == [True, True]
    predictor.set_vocabulary(dict(names=['dog', 'tree'], seen=['dog', 'tree']))  # likewise
    assert predictor.vocabulary.seen.tolist() == [True, True]
    vague = [['cow', 'cat', 'dog'], dict(names=['sheep', 'cow'], seen=['sheep'])]
    predictor.set_vocabulary(dict(type='MergedVocabulary', vocabularies=vague))
    assert predictor.vocabulary.seen.tolist() == [False, True, False, True]


def test_no_images_to_encode(predictor):
    assert predictor.encode([]) == []


@pytest.mark.parametrize('shape, dtype', [((9, 9, 4), 'uint8'), ((9, 9, 3), 'float32')])
def test_other_arrays_are_not_encoded(predictor, shape, dtype):
    with pytest.raises(ValueError, match='an image array must be'):
        predictor.encode([np.zeros((9, 9, 3), np.uint8), np.zeros(shape, dtype)])


@pytest.mark.parametrize('box', [[0, 0, 9e3, 9e3], [-9e3, 20, 90, 9e3]])
def test_boxes_end_where_the_image_does(predictor, image, box):
    predictor.set_image(image)
    cut = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    expected, found = predictor.predict(boxes=cut), predictor.predict(boxes=box)
    np.testing.assert_array_equal(found.low_res_logits, expected.low_res_logits)


def test_what_is_done_to_answers_stays_there(predictor, image):
    settings = dict(points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0)
    predictor.set_image(image)
    found = predictor.everything(**settings)
    assert len(found)
    before = found.masks.copy()
    found.masks[:] = ~before
    np.testing.assert_array_equal(predictor.everything(**settings).masks, before)


@pytest.mark.parametrize(
    'given, message',
    [
        ({'point_coords': [[np.nan, 1]]}, 'finite'),
        ({'point_coords': [[WIDTH + 5, 1]]}, 'outside its image'),
        ({'point_coords': [[-1, 1]]}, 'outside its image'),
        ({'boxes': [10, 10, 10, 50]}, 'box without area'),
        ({'boxes': [WIDTH + 1, 10, WIDTH + 9, 50]}, 'box outside its image'),
        ({'point_coords': [[1, 1]], 'point_labels': [3]}, '1 .on the object'),
        ({'point_coords': [1, 2, 3]}, 'got shape'),
        ({'boxes': [1, 1, 9, 9], 'top_k': 0}, 'top_k'),
        ({}, 'got neither'),
    ],
)
def test_bad_prompts_leave_the_state_intact(predictor, image, given, message):
    predictor.set_image(image)
    before = predictor.predict([[50, 60]])
    with pytest.raises(ValueError, match=message):
        predictor.predict(**given)
    assert predictor.predict([[50, 60]]).to_coco() == before.to_coco()


@pytest.mark.parametrize('given', [dict(top_k=0), dict(none_threshold=1.5)])
def test_what_is_asked_of_names_is_checked_before_decoding(predictor, image, given, monkeypatch):
    predictor.set_image(image)
    monkeypatch.setattr(predictor.model, 'segment', None)
    with pytest.raises(ValueError, match=next(iter(given))):
        predictor.predict([[50, 60]], **given)


@pytest.mark.parametrize('vocabulary', [[], '', ['cat', ' '], ['cat', '\u200b'], ['cat', '&nbsp;']])
def test_bad_vocabulary_leaves_the_old_one(predictor, vocabulary):
    with pytest.raises(ValueError):
        predictor.set_vocabulary(vocabulary)
    assert predictor.vocabulary.names == ('cat', 'dog', 'sea_lion')


def test_a_hundred_thousand_names(predictor, image, calls, monkeypatch):
    channels = predictor.model.text_encoder.encode([]).shape[1]

    def embed(encoder, vocabulary, *args, **kwargs):
        made = torch.randn(len(vocabulary), channels, generator=torch.Generator().manual_seed(0))
        return NameBank(
            vocabulary,
            torch.nn.functional.normalize(made, dim=-1),
            torch.ones(len(vocabulary), dtype=torch.long),
        )

    predictor.set_image(image)
    with monkeypatch.context() as patch:
        patch.setattr('ovsam.segmenters.open_vocabulary_segmenter.embed_bank', embed)
        predictor.set_vocabulary([f'name {number}' for number in range(100_000)])
        found = predictor.predict([[50, 60]])
        assert len(predictor.vocabulary) == 100_000 and len(set(found.top_names[0])) == 5
        assert 0 < found.label_scores[0] <= 1
        assert found.labels[0] == found.top_names[0][0] and found.labels[0].startswith('name ')
    predictor.set_vocabulary(['cat', 'dog'])
    assert predictor.predict([[50, 60]]).labels[0] in ('cat', 'dog')
    assert calls['encoded'] == 1


def test_before_set_vocabulary_names_are_the_models_own(model, image):
    predictor = OVSAMPredictor(model)
    assert predictor.vocabulary is model.vocabulary
    predictor.set_image(image)
    assert set(predictor.predict([[50, 60]]).top_names[0]) <= set(model.vocabulary.names)
    assert predictor.bank is model.bank()


def test_what_one_predictor_names_leaves_others_alone(model, image):
    one, other = OVSAMPredictor(model, vocabulary=['cat', 'dog']), OVSAMPredictor(model)
    own = model.vocabulary
    one.set_image(image)
    one.find('a red cat', points_per_side=4)
    one.set_vocabulary(['tree', 'house'])
    assert model.vocabulary is own and other.vocabulary is own
    other.bank = one.bank
    assert other.vocabulary.names == ('tree', 'house') and model.vocabulary is own


def test_two_threads_with_names_of_their_own(model, image):
    """Each gets what it gets alone, while the other names, and finds, by the same model."""

    def work(names, asked):
        predictor = OVSAMPredictor(model, vocabulary=names)
        predictor.set_image(image)
        rows = []
        for place in range(5):
            found = predictor.predict([[40 + place, 60]])
            rows += [*found.to_coco(), *predictor.find(asked, 0, among=found).to_coco()]
        return rows

    jobs = [(['cat', 'dog', 'bus'], 'a red cat'), (['tree', 'house'], ['dog', 'sun'])]
    alone = [work(*job) for job in jobs]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda job: work(*job), jobs * 2))
    assert together == alone * 2


def test_vocabulary_from_file(predictor, tmp_path):
    file = tmp_path / 'names.txt'
    file.write_text('tree\nhouse\n')
    predictor.set_vocabulary(file)
    assert predictor.vocabulary.names == ('tree', 'house')
    with pytest.raises(FileNotFoundError, match='nowhere.txt'):
        predictor.set_vocabulary('nowhere.txt')


@pytest.mark.parametrize(
    'bad, error, message',
    [
        (np.zeros((0, 5, 3), np.uint8), ValueError, 'no pixels'),
        (np.zeros((5, 5), np.uint8), ValueError, 'RGB uint8'),
        (np.zeros((5, 5, 3)), ValueError, 'RGB uint8'),
        (np.zeros((1, 2000, 3), np.uint8), ValueError, 'too narrow: 2000 x 1 '),
        (np.zeros((20, 20_000, 3), np.uint8), ValueError, 'too narrow: 20000 x 20 '),
        (7, TypeError, 'got int'),
        ('nowhere.png', FileNotFoundError, 'does not exist'),
        ('text.jpg', ValueError, 'not a picture'),
        ('truncated.jpg', ValueError, 'Cannot read picture'),
    ],
)
def test_bad_image_leaves_the_old_one(predictor, image, tmp_path, bad, error, message):
    (tmp_path / 'text.jpg').write_text('once upon a time')
    jpeg = cv2.imencode('.jpg', image)[1].tobytes()
    (tmp_path / 'truncated.jpg').write_bytes(jpeg[: len(jpeg) // 2])
    predictor.set_image(image)
    before = predictor.predict([[50, 60]])
    with pytest.raises(error, match=message):
        predictor.set_image(tmp_path / bad if isinstance(bad, str) else bad)
    assert predictor.image_size == (HEIGHT, WIDTH)
    assert predictor.predict([[50, 60]]).to_coco() == before.to_coco()


@pytest.mark.parametrize('height, width', [(1, 1), (1, 500), (500, 1), (40, 10_000)])
def test_images_of_unusual_size(predictor, height, width):
    predictor.set_image(np.full((height, width, 3), 200, np.uint8))
    found = predictor.predict([[width / 2, height / 2]])
    assert found.masks.shape == (1, height, width)
    assert np.isfinite(found.low_res_logits).all() and found.labels[0] in ('cat', 'dog', 'sea_lion')
    x1, y1, x2, y2 = predictor.predict(boxes=[0, 0, width, height]).boxes[0]
    assert 0 <= x1 <= x2 <= width and 0 <= y1 <= y2 <= height


def test_image_file_is_rgb(predictor, image, tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), image[..., ::-1])
    predictor.set_image(image)
    expected = predictor.predict([[50, 60]])
    predictor.set_image(tmp_path / 'a.png')
    assert predictor.predict([[50, 60]]).to_coco() == expected.to_coco()


def test_model_without_names(image, random_sam):
    predictor = OVSAMPredictor(random_sam)
    predictor.set_image(image)
    found = predictor.predict([[50, 60]])
    assert found.labels is None and found.masks.shape == (1, HEIGHT, WIDTH)
    with pytest.raises(ValueError, match='SAM gives masks without names'):
        predictor.set_vocabulary('cat')


def test_model_without_prompts():
    with pytest.raises(ValueError, match='a Linear takes no prompts'):
        OVSAMPredictor(torch.nn.Linear(1, 1))


def test_weights_of_a_built_model(model):
    with pytest.raises(ValueError, match='built model'):
        OVSAMPredictor(model, weights='some.pth')


def test_masks_without_embeddings_cannot_be_found_by_text(predictor, image):
    predictor.set_image(image)
    masks = replace(predictor.predict([[10, 10]]), region_embeddings=None)
    with pytest.raises(ValueError, match='without embeddings'):
        predictor.find('a thing', among=masks)
