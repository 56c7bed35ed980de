from dataclasses import replace

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from ovsam.apis import OVSAMPredictor
from ovsam.apis.init_model import load_config
from ovsam.benchmarks.random_model import annotated_boxes, without_weights
from ovsam.parts.mask_decoder import FirstMask
from ovsam.prompts import Prompts
from ovsam.segmenters import ZoomedPass


class Letters:
    context_length = 100

    def encode(self, text):
        return [ord(letter) for letter in text]

    def decode(self, tokens):
        return ''.join(map(chr, tokens))


class OneHotTexts(torch.nn.Module):
    """A text encoder without words: each text is its place among those that were asked for."""

    embed_dims = 1280
    tokenizer = Letters()

    def encode(self, texts):
        return torch.eye(self.embed_dims)[: len(texts)]

    def fingerprint(self):
        return 'one-hot'


def build(cfg):
    """A model of a shipped config's parts, random, and without words."""
    cfg = without_weights(cfg)
    cfg['text_encoder'] = dict(
        type='SentenceTextEncoder',
        tokenizer='none',
        projection=dict(num_points=1, out_dims=1280),
        sentences=dict(vocab_size=2, width=8, depth=1, num_heads=1),
    )
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg)
    model.text_encoder = OneHotTexts()
    model.text_cache = None
    return model


@pytest.fixture(scope='module')
def model():
    """On pictures of 64 pixels."""
    cfg = load_config('photo/base.py').model.to_dict()
    cfg['data_preprocessor']['pad_size_divisor'] = cfg['prompt_encoder']['image_size'] = 64
    return build(cfg)


def sample(labels=(0, 15)):
    boxes = torch.tensor([[10.0, 8.0 + 8 * place, 50.0, 40.0] for place in range(len(labels))])
    return annotated_boxes(boxes.reshape(-1, 4), torch.tensor(labels, dtype=torch.long), 64)


def test_no_instances(model):
    losses = model.train().loss(torch.zeros(1, 3, 64, 64), [sample(())])
    assert float(sum(losses.values())) == 0
    found = model.eval().predict(torch.zeros(1, 3, 64, 64), [sample(())])[0].pred_instances
    assert len(found) == 0


def test_everything_but_the_towers_learns(model):
    model.train().zero_grad()
    model.rounds = 2
    sum(model.loss(torch.randn(2, 3, 64, 64), [sample(), sample((0,))]).values()).backward()
    model.rounds = 1
    learned = {name.split('.')[0] for name, p in model.named_parameters() if p.grad is not None}
    assert learned == {'neck', 'prompt_encoder', 'mask_decoder', 'label_head'}


def test_the_head_learns_from_seen_names_alone(model):
    """15 is a cat, which is novel."""
    model.train()
    images = torch.randn(1, 3, 64, 64)
    novel, seen = (model.loss(images, [sample((label,))]) for label in (15, 0))
    assert float(novel['loss_cls']) == 0 < float(seen['loss_cls'])
    assert float(novel['loss_focal']) > 0


def test_prediction(model):
    found = model.eval().predict(torch.randn(1, 3, 64, 64), [sample()])[0].pred_instances
    assert found.masks.shape == (2, 64, 64)
    assert found.labels.shape == (2,)


def test_use_by_clicks(model, monkeypatch):
    predictor = OVSAMPredictor(model.eval(), vocabulary=['cat', 'dog'])
    predictor.set_image(np.random.default_rng(0).integers(0, 255, (50, 60, 3), np.uint8))
    several = predictor.predict(point_coords=[[20, 20]], multimask_output=True)
    assert several.masks.shape == (3, 50, 60)
    again = predictor.predict(
        point_coords=[[[20, 20], [50, 40]]],
        point_labels=[[1, 0]],
        mask_input=several.low_res_logits[:1],
    )
    assert again.masks.shape == (1, 50, 60) and again.labels[0] in ('cat', 'dog')
    # An untrained head's predicted IoU may be below zero.
    quality = model.mask_decoder.iou_prediction_head
    monkeypatch.setattr(quality, 'forward', lambda x: x.new_ones(len(x), 4))
    settings = dict(pred_iou_thresh=0.0, stability_score_thresh=0.0, points_per_side=2)
    everything = predictor.everything(**settings)
    assert len(everything.labels) == len(everything.masks) > 0
    assert set(predictor.find('bird', threshold=0.0, **settings).labels) <= {'bird'}


def test_the_label_head_alone_learns(model):
    model.train().zero_grad()
    mask_loss, model.mask_loss = model.mask_loss, None
    try:
        losses = model.loss(torch.randn(1, 3, 64, 64), [sample((0,))])
    finally:
        model.mask_loss = mask_loss
    assert set(losses) == {'loss_cls'}
    losses['loss_cls'].backward()
    assert {n.split('.')[0] for n, p in model.named_parameters() if p.grad is not None} == {
        'label_head'
    }


def test_a_zoomed_pass_refines_masks_and_names(model, monkeypatch):
    """Its answers are finer than the decoder's, and may be prompts again; guesses have none."""
    torch.manual_seed(0)
    monkeypatch.setattr(model, 'zoomed_pass', ZoomedPass())
    features = model.eval().encode_image(torch.randn(1, 3, 64, 64))
    prompts = Prompts.from_boxes([[8.0, 8.0, 40.0, 50.0]])
    with torch.no_grad():
        plain, _ = model.segment_regions(features, prompts, 64, mask_choice=FirstMask())
        zoomed, _ = model.segment_regions(features, prompts, 64)
        again, _ = model.segment_regions(
            features, replace(prompts, masks=zoomed.low_res[:, None]), 64
        )
        opinions = [model.region_embeddings(features, each) for each in (plain, zoomed)]
    assert plain.low_res.shape == (1, 16, 16) and not plain.zoomed
    assert zoomed.low_res.shape == again.low_res.shape == (1, 64, 64)
    for one, other, seen in zip(*opinions, zoomed.zoomed):
        assert (one * other).sum() < 0.9999
        torch.testing.assert_close(other, seen)


def test_names_are_learned_on_what_is_zoomed_in_on_as_well(model):
    """Each object counts twice then; what is seen in the picture alone counts as before."""
    model.eval()
    images, samples = torch.randn(1, 3, 64, 64), [sample((0, 15))]
    mask_loss, model.mask_loss = model.mask_loss, None
    counted = []
    try:
        for zoom in (None, ZoomedPass((1.3, 2.5))):
            model.zoomed_pass = zoom
            before = model.label_loss.counts.clone()
            assert model.loss(images, samples)['loss_cls'].isfinite()
            assert model.loss(images, [sample(())])['loss_cls'] == 0
            counted.append((model.label_loss.counts - before).sum().item())
    finally:
        model.mask_loss, model.zoomed_pass = mask_loss, None
    assert counted == [1, 2]  # the other name is unseen
