"""What is recorded of an image, and what a record depends on."""

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovsam.apis import BackOff, EverythingPrompts, OVSAMPredictor
from ovsam.apis.init_model import load_config
from ovsam.bulk import Annotator, begin, run_job
from ovsam.bulk.run import in_this_process
from ovsam.vocabulary import WordNetHierarchy

NOTHING = WordNetHierarchy({}, {})
FEW = EverythingPrompts(points_per_side=2, pred_iou_thresh=0.0, stability_score_thresh=0.0)


@pytest.fixture
def predictor(random_mini):
    return OVSAMPredictor(random_mini, vocabulary=['cat', 'dog'], device='cpu')


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    folder.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), pixels)
    cv2.imwrite(str(folder / 'thin.png'), np.zeros((600, 1, 3), np.uint8))
    return folder


@pytest.mark.parametrize(
    'arguments, message',
    [({'top_k': 0}, 'top_k must be positive; got 0'), ({'threshold': -1}, 'threshold must be in')],
)
def test_arguments(predictor, arguments, message):
    with pytest.raises(ValueError, match=message):
        Annotator(predictor, FEW, **arguments)


def test_nothing_is_found(predictor, photos):
    record = Annotator(predictor, FEW, threshold=1.0)(photos / '0.png')
    assert record == {'height': 40, 'width': 60, 'annotations': []}
    assert predictor.image_size is None


def test_a_record(predictor, photos):
    record = Annotator(predictor, FEW, top_k=2)(photos / '0.png')
    assert record['annotations']
    for annotation in record['annotations']:
        assert mask_utils.decode(annotation['segmentation']).shape == (40, 60)
        assert annotation['category_name'] == annotation['alternatives'][0][0]
        assert len(annotation['alternatives']) == 2


def test_too_narrow(predictor, photos):
    with pytest.raises(ValueError, match='too narrow'):
        Annotator(predictor, FEW)(photos / 'thin.png')


@pytest.mark.parametrize(
    'name, change',
    [
        ('vocabulary', lambda made: made['predictor'].set_vocabulary(['cat', 'dog', 'fox'])),
        (
            'weights',
            lambda made: (
                made['predictor'].model.label_head.requires_grad_(False)
                and next(made['predictor'].model.label_head.parameters()).add_(1)
            ),
        ),
        ('everything', lambda made: setattr(made['predictor'].model, 'everything', {'x': 1})),
        ('none_threshold', lambda made: setattr(made['predictor'], 'none_threshold', 0.5)),
        ('back_off', lambda made: setattr(made['predictor'], 'back_off', BackOff(0.5, NOTHING))),
        ('taught', lambda made: made['predictor'].teach('cat', masks=np.ones((40, 60), bool))),
        ('model', lambda made: made['cfg'].model.update(chunk_size=3)),
        ('prompts', lambda made: made.update(prompts=EverythingPrompts(points_per_side=3))),
        ('top_k', lambda made: made.update(top_k=3)),
        ('threshold', lambda made: made.update(threshold=0.5)),
    ],
)
def test_what_results_depend_on(predictor, name, change):
    made = {
        'predictor': predictor,
        'cfg': load_config('mini'),
        'prompts': FEW,
        'top_k': 1,
        'threshold': 0.0,
    }

    def settings():
        cfg = made['cfg']
        arguments = {key: value for key, value in made.items() if key != 'cfg'}
        return Annotator(**arguments).settings(cfg)

    predictor.set_image(np.zeros((40, 60, 3), np.uint8))
    before = settings()
    assert settings() == before
    change(made)
    assert [key for key, value in settings().items() if value != before[key]] == [name]


def test_a_job(predictor, photos, tmp_path):
    """As the documentation has it."""
    annotator = Annotator(predictor, FEW)
    settings = annotator.settings(load_config('mini'))
    job = begin(tmp_path / 'out', photos, settings, predictor.vocabulary)
    summary = run_job(job, in_this_process(annotator))
    assert summary[0] == 2 and summary.left_out == 1 and summary.annotations > 0
