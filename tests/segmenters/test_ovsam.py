"""The whole model, in miniature with random weights, where there is nothing to do or to name."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ovsam.benchmarks.random_model import annotated_boxes, without_weights
from ovsam.masks.cleaning import InsideBox, LargeParts
from ovsam.prompts import Prompts
from ovsam.segmenters.image_features import used_size
from ovsam.utils.paths import config_path
from ovsam.vocabulary import Vocabulary

SIDE = 256
NAMES = ['cat', 'dog', 'boat']


def build(name, **changes):
    """A model of the small world, on three names if on any, all its weights random."""
    torch.manual_seed(0)
    cfg = without_weights(Config.fromfile(config_path(f'mini/{name}.py')).model.to_dict())
    cfg.update(dict(vocabulary=NAMES) if 'vocabulary' in cfg else {}, **changes)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(cfg)


def sample(*boxes):
    labels = torch.zeros(len(boxes), dtype=torch.long)
    return annotated_boxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), labels, SIDE)


@pytest.fixture(scope='module')
def ovsam():
    return build('ovsam_box')


@pytest.mark.parametrize('boxes', [[], [[4, 4, 20, 20]]])
def test_training_without_a_loss_says_what_is_missing(images, boxes):
    ovsam = build('ovsam_box')
    ovsam.label_loss = None
    with pytest.raises(ValueError, match='no label_loss'):
        ovsam.loss(images, [sample(*boxes) for _ in images])


def test_losses_of_images_without_instances_are_zero_and_reach_every_weight(ovsam, images):
    ovsam.train()
    losses = ovsam.loss(images, [sample(), sample()])
    total = sum(losses.values())
    assert total == 0
    total.backward()
    learned = [p for p in ovsam.label_head.parameters() if p.requires_grad]
    assert learned and all(p.grad is not None for p in learned)


@pytest.mark.parametrize('name_all', [False, True])
def test_the_head_learns_from_what_is_prompted_or_from_all(ovsam, images, monkeypatch, name_all):
    boxes = [(20 * i, 10, 20 * i + 60, 90) for i in range(6)]  # four of them become prompts
    monkeypatch.setattr(ovsam, 'name_all', name_all)
    seen = []
    for kind in ('of_names', 'of_masks'):
        monkeypatch.setattr(
            ovsam.label_loss, kind, lambda *rows: seen.append([*map(len, rows)]) or {}
        )
    ovsam.train().loss(images, [sample(*boxes), sample(boxes[0])])
    assert seen == [[7, 7] if name_all else [5, 5], [5, 5]]


@torch.no_grad()
def test_the_weight_of_the_predicted_iou(images, monkeypatch):
    model = build('clip2sam_base', iou_weight=3.0, train_prompter=dict(type='BoxPrompter'))
    samples = [sample((20, 10, 90, 90)) for _ in images]
    found = model.loss(images, samples)['loss_iou']
    monkeypatch.setattr(model, 'iou_weight', 1.0)
    assert 0 < found == pytest.approx(3 * model.loss(images, samples)['loss_iou'].item(), rel=1e-4)


def test_images_without_instances_get_no_predictions(ovsam, images):
    found = ovsam.eval().predict(images, [sample(), sample((10, 10, 90, 90))])
    assert [len(each.pred_instances) for each in found] == [0, 1]
    assert found[0].pred_instances.masks.shape == (0, SIDE, SIDE)


def test_masks_are_ranked_by_the_names_score_and_the_predicted_iou(ovsam, images, monkeypatch):
    segment = ovsam.segment
    quality = torch.tensor([[1.5], [0.5], [-0.5]])  # what a decoder expects may leave [0, 1]
    monkeypatch.setattr(ovsam, 'segment', lambda *args: (segment(*args)[0], quality))
    boxes = (10, 10, 90, 90), (40, 30, 200, 180), (0, 0, 20, 20)
    found = ovsam.eval().predict(images[:1], [sample(*boxes)])[0].pred_instances
    torch.testing.assert_close(found.mask_scores, found.scores * torch.tensor([1.0, 0.5, 0.0]))


def test_each_opinion_is_of_the_box_that_the_config_says(ovsam, images, monkeypatch):
    boxes = (10, 10, 90, 90), (40, 30, 200, 180)
    monkeypatch.setattr(ovsam, 'head_box', 'mask')
    looked = []
    monkeypatch.setattr(
        ovsam.label_head, 'forward', lambda levels, rois, masks: looked.append(rois)
    )
    monkeypatch.setattr(
        ovsam.backbone, 'embed_regions', lambda levels, rois, masks: looked.append(rois)
    )
    prompts = Prompts.from_boxes(boxes)
    with torch.no_grad():
        features = ovsam.eval().encode_image(images[:1])
        regions, _ = ovsam.segment_regions(features, prompts, SIDE)
        ovsam.region_embeddings(features, regions)
    torch.testing.assert_close(looked[0], regions.mask_rois)
    assert looked[1].tolist() == [[0, *box] for box in boxes]
    assert not torch.equal(*looked)


def test_what_is_left_out_of_masks_is_left_out_of_their_regions(ovsam, images, monkeypatch):
    segment = ovsam.segment
    monkeypatch.setattr(ovsam, 'segment', lambda *args: tuple(map(torch.ones_like, segment(*args))))
    monkeypatch.setitem(
        ovsam._modules, 'mask_cleaning', torch.nn.ModuleList([InsideBox(margin=0), LargeParts()])
    )
    box = 16, 32, 64, 128
    with torch.no_grad():
        features = ovsam.eval().encode_image(images[:1])
        regions, _ = ovsam.segment_regions(features, Prompts.from_boxes([box]), SIDE)
    assert regions.mask_rois.tolist() == [[0, *box]]


def test_fusion_is_between_the_two_opinions(ovsam, images):
    ovsam.eval()
    data = [sample((10, 10, 90, 90), (40, 30, 200, 180))]
    with torch.no_grad():
        features = ovsam.encode_image(images[:1])
        prompts = ovsam.input_prompts(data, ovsam.prompter, images.device)
        regions, _ = ovsam.segment_regions(features, prompts, SIDE)
        embeddings = ovsam.region_embeddings(features, regions)
        head, clip = (ovsam.classify(each).log_softmax(-1) for each in embeddings)
        fused = ovsam.log_scores(embeddings)
    assert fused.shape == (2, len(NAMES) + 1)
    assert (fused <= torch.maximum(head, clip) + 1e-5).all()
    assert (fused >= torch.minimum(head, clip) - 1e-5).all()


def test_only_what_is_in_doubt_is_looked_at_again(images, monkeypatch):
    model, boxes = (
        build('ovsam_base_second_look_box').eval(),
        ((10, 10, 90, 90), (40, 30, 200, 180)),
    )
    monkeypatch.setattr(
        model.second_look,
        'doubtful',
        lambda best, rois: torch.tensor([False, True])[: len(best.labels)],
    )
    with torch.no_grad():
        features = model.encode_image(images[:1])
        regions, _ = model.segment_regions(features, Prompts.from_boxes(boxes), SIDE)
        head, clip = model.region_embeddings(features, regions)
        pooled = model.backbone.embed_regions(features.levels, regions.prompt_rois)
        shown = images, regions.prompt_rois, regions.low_res
        crops = model.second_look(*shown, pooled, model.backbone)
        found = model.predict(images[:1], [sample(*boxes)])[0].pred_instances
    torch.testing.assert_close(clip, torch.stack([pooled[0], crops[1]]))
    assert not torch.allclose(pooled[1], crops[1])
    assert found.looked_again.tolist() == [False, True]
    expected = model.log_scores((head, clip))[:, :-1].max(dim=1)
    assert found.labels.tolist() == expected.indices.tolist()


def test_doubt_is_among_the_names_of_the_bank(images):
    model = build('ovsam_base_second_look_box').eval()
    prompts = Prompts.from_boxes([(10, 10, 90, 90)])
    single = model.bank(Vocabulary(['cat']))  # one name is never in doubt
    with torch.no_grad():
        features = model.encode_image(images[:1])
        regions, _ = model.segment_regions(features, prompts, SIDE)
        model.second_look.margin = 1e9
        (_, never), (_, always) = (
            model.region_embeddings(features, regions, bank) for bank in (single, None)
        )
    assert not torch.allclose(never, always)


def test_a_second_look_without_a_first_opinion_to_replace_is_refused():
    with pytest.raises(ValueError, match='give it score_fusion'):
        build('ovsam_base_second_look_box', score_fusion=None)


@pytest.mark.parametrize('name', ['image_crop_box', 'feature_crop_box'])
def test_yardsticks_name_but_do_not_learn(name, images):
    model = build(name).eval()
    found = model.predict(images, [sample((10, 10, 90, 90)), sample()])
    assert [len(each.pred_instances) for each in found] == [1, 0]
    assert 0 <= found[0].pred_instances.labels[0] < len(NAMES)
    with pytest.raises(NotImplementedError, match='nothing to train'):
        model.loss(images, [sample(), sample()])


@torch.no_grad()
def test_padding_that_is_not_encoded(images):
    model = build('ovsam_box', skip_padding=True).eval()
    images[:, :, 180:] = 0
    images[0, :, :, 97:] = 0  # the second image needs these columns
    found = model.encode_image(images)
    model.skip_padding = False
    cut = model.encode_image(images[:, :, :192])
    for ours, alone in zip(maps_of(found), maps_of(cut)):
        rows = alone.shape[-2]
        assert ours.shape[-1] == ours.shape[-2] == rows * 4 // 3
        torch.testing.assert_close(ours[..., :rows, :], alone)
        assert not ours[..., rows:, :].any()
    whole = torch.ones_like(images)
    expected = model.encode_image(whole)
    model.skip_padding = True
    assert all(map(torch.equal, maps_of(model.encode_image(whole)), maps_of(expected)))


def maps_of(features):
    return features.embedding, *features.levels, *features.pyramid


def test_used_size():
    images = torch.zeros(2, 3, 96, 128)
    assert used_size(images, 32) == (32, 32)
    images[0, 1, 64, 3] = images[1, 2, 5, 127] = -1
    assert used_size(images, 32) == (96, 128) and used_size(images, 50) == (96, 128)
    assert used_size(images[:, :, :64], 32) == (32, 128)


def test_towers_that_need_padding():
    tower = dict(type='EfficientNetLiteTower', arch='tf_efficientnet_lite0')
    with pytest.raises(ValueError, match='EfficientNetLiteTower takes padded images only'):
        build('ovsam_box', skip_padding=True, backbone=tower)
