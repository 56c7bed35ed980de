"""A detector in front of a miniature OVSAM with random weights."""

import json

import numpy as np
import pytest
import torch
from mmcv.transforms import Resize
from mmdet.models.detectors.base import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from PIL import Image

from ovsam.benchmarks.random_model import without_weights
from ovsam.datasets.detection_file import FORMAT
from ovsam.detectors.detection_naming import UNKNOWN, DetectionNaming
from ovsam.detectors.detector_prompted_ovsam import DetectorPromptedOVSAM
from ovsam.utils.paths import config_path

NAMES = ['cat', 'dog', 'boat']
HEIGHT, WIDTH = 96, 128
SIDE = 64  # of the segmenter's input


@pytest.fixture(scope='module', autouse=True)
def fixed_boxes():
    """A detector that finds what its config says, in original pixels, whatever it sees."""

    class FixedBoxes(BaseDetector):
        def __init__(self, found, num_classes=None):
            super().__init__(dict(type='DetDataPreprocessor', pad_size_divisor=32))
            self.found, self.seen = found, []
            if num_classes is not None:
                self.bbox_head = torch.nn.Module()
                self.bbox_head.num_classes = num_classes

        def predict(self, batch_inputs, batch_data_samples, rescale=True):
            self.seen.append(batch_inputs)
            for sample in batch_data_samples:
                rows = self.found.get(sample.img_id, [])
                sample.pred_instances = InstanceData(
                    bboxes=torch.tensor([row[:4] for row in rows]).reshape(-1, 4),
                    scores=torch.tensor([row[4] for row in rows], dtype=torch.float32),
                    labels=torch.tensor([row[5] for row in rows], dtype=torch.long),
                )
            return batch_data_samples

        def extract_feat(self, batch_inputs):
            raise NotImplementedError

        _forward = loss = extract_feat

    MODELS.register_module(module=FixedBoxes)
    yield
    MODELS._module_dict.pop('FixedBoxes')


@pytest.fixture(scope='module')
def segmenter():
    return small('ovsam_box')


def small(name):
    cfg = without_weights(Config.fromfile(config_path(f'mini/{name}.py')).model.to_dict())
    cfg['data_preprocessor']['pad_size_divisor'] = cfg['prompt_encoder']['image_size'] = SIDE
    if 'neck' in cfg:
        cfg['neck']['img_size'] = SIDE
    return cfg


@pytest.fixture
def build(segmenter):
    def build(found, vocabulary=NAMES, num_classes=None, **kwargs):
        torch.manual_seed(0)
        with DefaultScope.overwrite_default_scope('mmdet'):
            kwargs.setdefault(
                'detector', dict(type='FixedBoxes', found=found, num_classes=num_classes)
            )
            return DetectorPromptedOVSAM(
                segmenter=dict(segmenter, vocabulary=vocabulary), **kwargs
            ).eval()

    return build


def raw(img_id=1, size=(HEIGHT, WIDTH), **meta):
    picture = np.random.default_rng(img_id).integers(0, 255, (3, *size), dtype=np.uint8)
    sample = DetDataSample(
        metainfo=dict(
            img_id=img_id, img_path=f'{img_id}.jpg', ori_shape=size, img_shape=size, **meta
        )
    )
    return torch.from_numpy(picture), sample


def predict(model, *pairs):
    images, samples = zip(*pairs)
    outputs = model.test_step(dict(inputs=list(images), data_samples=list(samples)))
    return [output.pred_instances for output in outputs]


def test_images_must_come_as_they_are(build):
    with pytest.raises(ValueError, match='DetDataPreprocessor changes the images'):
        build({}, data_preprocessor=dict(type='DetDataPreprocessor', mean=[1.0] * 3, std=[1.0] * 3))


def test_without_detections_results_are_empty_and_nothing_is_encoded(build, monkeypatch):
    model = build({})
    monkeypatch.setattr(model.segmenter, 'encode_image', None)
    for found in predict(model, raw(1), raw(2, (40, 60))):
        assert len(found) == 0
        assert found.bboxes.shape == (0, 4) and found.masks.shape[0] == 0
        assert set(found.keys()) >= {'bboxes', 'scores', 'labels', 'masks'}


def test_boxes_and_scores_are_the_detectors_and_the_best_comes_first(build):
    model = build({1: [(10, 10, 60, 50, 0.4, 2), (20, 5, 100, 90, 0.9, 0)]})
    (found,) = predict(model, raw())
    assert found.bboxes.tolist() == [[20, 5, 100, 90], [10, 10, 60, 50]]
    assert found.scores.tolist() == pytest.approx([0.9, 0.4])
    assert found.labels.tolist() == [0, 2]
    assert found.masks.shape == (2, HEIGHT, WIDTH) and found.masks.dtype == torch.bool
    assert (found.mask_scores <= found.scores).all()


def test_each_network_gets_the_raw_image_in_its_own_way(build, monkeypatch):
    model = build(
        {1: [(64, 48, 128, 96, 0.9, 0)]},
        detector_pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='Resize', scale=(96, 96), keep_ratio=True),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs'),
        ],
    )
    asked = []
    decode = model.segmenter.segment_regions
    monkeypatch.setattr(
        model.segmenter,
        'segment_regions',
        lambda features, prompts, width: (
            asked.append(prompts.boxes) or decode(features, prompts, width)
        ),
    )
    image, sample = raw()
    predict(model, (image, sample))
    (seen,) = model.detector.seen
    assert seen.shape == (1, 3, 96, 96)
    resized = Resize(scale=(96, 96), keep_ratio=True)(dict(img=image.permute(1, 2, 0).numpy()))[
        'img'
    ]
    assert torch.equal(seen[0, :, :72].byte(), torch.from_numpy(resized).permute(2, 0, 1))
    # 128 pixels become 64, by one conversion from original pixels.
    assert asked[0].tolist() == [[32, 24, 64, 48]]


def test_a_resized_image_is_read_again(build, tmp_path):
    image, _ = raw()
    path = tmp_path / '1.png'
    Image.fromarray(image.numpy()[::-1].transpose(1, 2, 0).copy()).save(path)
    model = build({1: [(10, 10, 60, 50, 0.4, 2)]})
    _, sample = raw()
    sample.set_metainfo(dict(img_path=str(path)))
    (straight,) = predict(model, (image, sample.clone()))
    (again,) = predict(model, (image[:, ::2, ::2], sample.clone()))
    assert torch.equal(straight.masks, again.masks)
    _, nowhere = raw()
    nowhere.pop('img_path')
    with pytest.raises(ValueError, match='names no file to read it from'):
        predict(model, (image[:, ::2, ::2], nowhere))


FOUND = {
    1: [(10, 10, 60, 50, 0.4, 2), (20, 5, 100, 90, 0.9, 0)],
    2: [],
    3: [(1, 2, 30, 40, 0.3, 1)],
    4: [(5, 5, 50, 50, 0.8, 1), (0, 0, 20, 60, 0.7, 2)],
}


def test_a_batch_of_four_gives_what_four_batches_give(build):
    model = build(FOUND, naming=dict(type='FusedLabel'))
    model.segmenter.chunk_size = 2
    images = [raw(1), raw(2), raw(3, (80, 64)), raw(4)]
    together = predict(model, *images)
    # Images that would be padded are not put together with larger ones.
    assert [len(batch) for batch in model.detector.seen] == [3, 1]
    for each, image in zip(together, images):
        (alone,) = predict(model, image)
        assert torch.equal(each.labels, alone.labels)
        torch.testing.assert_close(each.scores, alone.scores, rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(each.bboxes, alone.bboxes)
        assert (each.masks != alone.masks).float().mean() < 1e-3 if len(each) else True


def test_a_thousand_detections_cost_one_encoding_and_chunks(build, monkeypatch):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 60, (1000, 2))
    rows = [(x, y, x + 30, y + 30, 0.5, 0) for x, y in corners.tolist()]
    model = build({1: rows})
    encoded, decoded = [], []
    encode, segment = model.segmenter.encode_image, model.segmenter.segment
    monkeypatch.setattr(
        model.segmenter, 'encode_image', lambda inputs: encoded.append(1) or encode(inputs)
    )

    def count(features, prompts):
        decoded.append(len(prompts))
        assert prompts.guessed.all()
        return segment(features, prompts)

    monkeypatch.setattr(model.segmenter, 'segment', count)
    (found,) = predict(model, raw(size=(32, 48)))
    # Boxes to the right of or below the image are left out.
    inside = int(((corners[:, 0] < 48) & (corners[:, 1] < 32)).sum())
    assert len(found) == inside == sum(decoded) > 300
    assert len(encoded) == 1
    assert max(decoded) == model.segmenter.chunk_size
    assert len(decoded) == -(-inside // model.segmenter.chunk_size)


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger, 'warning', lambda self, text, *args, **kwargs: said.append(text))
    return said


def test_boxes_that_cannot_be_prompts_are_reported_and_left_out(build, warnings):
    nan = float('nan')
    model = build(
        {
            1: [
                (10, 10, 60, 50, nan, 0),
                (10, nan, 60, 50, 0.9, 0),
                (30, 30, 30, 60, 0.9, 0),
                (200, 10, 260, 50, 0.9, 0),
                (-20, -20, 300, 50, 0.5, 1),
            ]
        }
    )
    (found,) = predict(model, raw())
    assert found.bboxes.tolist() == [[0, 0, WIDTH, 50]]
    assert found.labels.tolist() == [1]
    assert len(warnings) == 3
    assert '2 of 5 detections of image 1.jpg with a box or score that is not' in warnings[0]
    assert '2 of 5 detections of image 1.jpg without area inside' in warnings[1]
    assert '1 of 5 detections of image 1.jpg reach out of their image (are' in warnings[2]
    predict(model, raw())
    assert len(warnings) == 3


def test_a_file_without_annotations_is_checked_too(build, tmp_path, warnings):
    boxes = [[-9, 10, 60, 50], [10, 10, WIDTH + 0.4, 50], [0, 0, WIDTH, HEIGHT]]
    path = tmp_path / 'found.json'
    found = dict(bboxes=boxes, scores=[0.9, 0.8, 0.7], labels=[0, 1, 2])
    images = [dict(img_id=1, pred_instances=found)]
    path.write_text(json.dumps(dict(format=FORMAT, classes=NAMES, images=images)))
    model = build({}, detector=dict(type='DetectionsFromFile', file=str(path)))
    (found,) = predict(model, raw())
    assert found.bboxes.tolist() == [[0, 10, 60, 50], [10, 10, WIDTH, 50], [0, 0, WIDTH, HEIGHT]]
    (said,) = warnings
    assert '1 of 3 detections of image 1.jpg reach out of their image' in said


def test_nothing_but_unusable_boxes_is_an_empty_result(build):
    (found,) = predict(build({1: [(10, 10, 60, 50, float('nan'), 0)]}), raw())
    assert len(found) == 0 and found.masks.shape == (0, HEIGHT, WIDTH)


def test_classes_outside_the_vocabulary_are_reported_and_left_out(build, warnings):
    model = build(
        {1: [(10, 10, 60, 50, 0.4, 0), (20, 5, 100, 90, 0.9, 1)]},
        detector_names=['boat', 'teapot'],
        num_classes=2,
    )
    assert "1 of the detector's 2 classes are not in the vocabulary: teapot" in warnings[0]
    (found,) = predict(model, raw())
    assert found.labels.tolist() == [NAMES.index('boat')]
    assert '1 of 2 detections of image 1.jpg of classes outside the vocabulary' in warnings[1]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(num_classes=80), "80 classes, but the segmenter's vocabulary has 3 names"),
        (dict(num_classes=3, detector_names='coco'), '3 classes, but detector_names has 80 names'),
        (dict(num_classes=2, detector_names=['tea', 'pot']), "none of the detector's 2 classes"),
    ],
)
def test_a_detector_whose_classes_do_not_fit_is_refused(build, kwargs, message):
    with pytest.raises(ValueError, match=message):
        build({}, **kwargs)


def test_a_label_beyond_the_names_is_refused(build):
    with pytest.raises(ValueError, match='labels 7 to 7, but its names are 3'):
        predict(build({1: [(10, 10, 60, 50, 0.4, 7)]}), raw())


def test_a_detector_of_one_class_needs_no_names_if_the_segmenter_names(build):
    model = build(
        {1: [(10, 10, 60, 50, 0.25, 0)]}, num_classes=1, naming=dict(type='SegmenterLabel')
    )
    (found,) = predict(model, raw())
    assert 0 <= found.labels[0] < len(NAMES)
    assert 0 < found.scores[0] < 0.5


class Doubt(DetectionNaming):
    """Leaves out what the detector is not sure of."""

    needs_log_scores = False

    def __call__(self, labels, scores, log_scores):
        return labels.where(scores >= self.least, UNKNOWN), scores


@pytest.mark.parametrize(('least', 'expected'), [(0.0, [0, 2]), (0.5, [0]), (1.0, [])])
def test_what_a_policy_leaves_out_is_not_among_the_results(build, least, expected):
    model = build(
        {1: [(10, 10, 60, 50, 0.4, 2), (20, 5, 100, 90, 0.9, 0)]},
        nms=dict(type='nms', iou_threshold=0.9),
    )
    model.naming = Doubt()
    model.naming.least = least
    (found,) = predict(model, raw())
    assert found.labels.tolist() == expected
    assert found.masks.shape == (len(expected), HEIGHT, WIDTH)
    assert len(found.bboxes) == len(found.scores) == len(expected)


def test_boxes_of_one_object_with_the_same_name_are_suppressed_if_asked(build):
    rows = [(10, 10, 60, 50, 0.8, 0), (11, 10, 60, 51, 0.9, 1), (70, 50, 120, 90, 0.3, 1)]
    options = dict(vocabulary=['thing'], detector_names=NAMES, naming=dict(type='SegmenterLabel'))
    assert len(predict(build({1: rows}, **options), raw())[0]) == 3
    (found,) = predict(build({1: rows}, nms=dict(type='nms', iou_threshold=0.6), **options), raw())
    assert len(found) == 2
    assert found.bboxes[0].tolist() == [11, 10, 60, 51]
    assert (found.scores[:-1] >= found.scores[1:]).all()


def test_soft_suppression_lowers_scores(build):
    rows = [(10, 10, 60, 50, 0.9, 0), (11, 10, 60, 51, 0.8, 0), (70, 50, 120, 90, 0.5, 0)]
    (hard,) = predict(build({1: rows}), raw())
    soft = dict(type='soft_nms', iou_threshold=0.3, min_score=0.01)
    (found,) = predict(build({1: rows}, nms=soft), raw())
    assert found.bboxes.tolist() == [list(rows[place][:4]) for place in (0, 2, 1)]
    assert found.scores[:2].tolist() == pytest.approx([0.9, 0.5])
    assert 0 < found.scores[2] < 0.5
    # The share of a mask's quality stays.
    quality = (hard.mask_scores / hard.scores)[[0, 2, 1]]
    assert torch.allclose(found.mask_scores, quality * found.scores)


def test_a_sam_leaves_the_names_to_the_detector():
    sam = small('sam_box')
    detector = dict(type='FixedBoxes', found={1: [(10, 10, 60, 50, 0.4, 2)]})
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = DetectorPromptedOVSAM(detector=detector, segmenter=sam).eval()
        (found,) = predict(model, raw())
        assert found.labels.tolist() == [2] and found.masks.shape == (1, HEIGHT, WIDTH)
        with pytest.raises(ValueError, match='asks the segmenter for names, and it gives none'):
            DetectorPromptedOVSAM(detector=detector, segmenter=sam, naming=dict(type='FusedLabel'))


def test_it_is_not_trained_as_a_whole(build):
    with pytest.raises(NotImplementedError, match='trained apart'):
        build({}).loss([], [])


def test_a_whole_detectors_weights_replace_those_of_its_parts(build):
    weights = dict(type='Pretrained', checkpoint='whole.pth')
    detector = Config.fromfile(config_path('mini/detector_agnostic.py')).model.to_dict()
    detector['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='backbone.pth')
    naming = dict(type='SegmenterLabel')
    model = build({}, detector=dict(detector, init_cfg=weights), naming=naming)
    assert model.detector.init_cfg == weights
    assert (model.detector.backbone.init_cfg or {}) != detector['backbone']['init_cfg']
    assert detector['backbone']['init_cfg']['checkpoint'] == 'backbone.pth'


def test_mmdets_visualizer_draws_the_results(build):
    model = build({1: [(10, 10, 60, 50, 0.9, 0)]})
    image, sample = raw()
    (found,) = model.test_step(dict(inputs=[image], data_samples=[sample]))
    visualizer = DetLocalVisualizer()
    visualizer.dataset_meta = dict(classes=model.vocabulary.names, palette='random')
    picture = image.permute(1, 2, 0).numpy()
    visualizer.add_datasample('one', picture.copy(), found, draw_gt=False, show=False)
    drawn = visualizer.get_image()
    assert drawn.shape == picture.shape and (drawn != picture).any()
