"""What is in doubt is decided among the names in use, wherever a mask comes from."""

import numpy as np
import pytest
import torch

from ovsam.apis import OVSAMPredictor
from ovsam.naming import SecondLook
from ovsam.segmenters import ZoomedPass
from ovsam.serving.annotator import Annotator
from ovsam.serving.shared_model import SharedModel

NAMES = ['cat', 'dog']


@pytest.fixture
def doubted(model, monkeypatch):
    """The numbers of likeliest names that were compared, a list for each time."""
    look, seen = SecondLook(margin=1e9), []
    doubtful = look.doubtful
    monkeypatch.setattr(
        look,
        'doubtful',
        lambda best, rois: seen.append(best.labels.max().item()) or doubtful(best, rois),
    )
    monkeypatch.setattr(model, 'second_look', look)
    return seen


def test_prompts_masks_and_everything_mode(model, doubted, scene, monkeypatch):
    image, boxes = scene
    predictor = OVSAMPredictor(model, vocabulary=NAMES)
    predictor.set_image(image)
    masks = np.zeros((1, *image.shape[:2]), bool)
    masks[0, 20:60, 20:80] = True
    again = predictor.predict(boxes=boxes)
    predictor.teach('dog', masks=masks)
    predictor.everything(
        points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0, box_nms_thresh=1
    )
    assert len(doubted) == 3 and max(doubted) < len(NAMES)

    model.second_look.margin = 1e-9
    once = predictor.predict(boxes=boxes)
    head, clip = (again.region_embeddings - once.region_embeddings).unbind(dim=1)
    assert torch.equal(head, torch.zeros_like(head))
    assert (clip.abs().amax(dim=1) > 0).all()

    monkeypatch.setattr(model, 'zoomed_pass', ZoomedPass())
    doubted.clear()
    predictor.set_image(image)
    predictor.predict(boxes=boxes)
    assert len(doubted) == 1 and max(doubted) < len(NAMES)


def test_everything_mode_looks_again_for_other_names(model, doubted, scene):
    settings = dict(points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0)
    predictor = OVSAMPredictor(model, vocabulary=NAMES)
    predictor.set_image(scene[0])
    for asked in (NAMES, NAMES, NAMES[::-1], NAMES):
        if asked != list(predictor.vocabulary.names):
            predictor.set_vocabulary(asked)
        predictor.everything(**settings)
    assert len(doubted) == 3  # the same names are asked for once

    annotator = Annotator(SharedModel(model, vocabulary=NAMES), everything=settings)
    picture = annotator.encoded('scene', lambda: scene[0])
    for names in (NAMES, NAMES[::-1]):
        annotator.everything(picture, annotator.names(names))
    assert len(doubted) == 5
