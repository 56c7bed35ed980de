"""The whole model and its losses against the published implementation."""

import json
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovsam.losses.clip2sam_loss import CLIP2SAMLoss
from ovsam.masks.regions import Regions, low_res_mask_boxes, postprocess_masks
from ovsam.naming.name_bank import NameBank
from ovsam.naming.scores import GeometricFusion, OpenVocabularyClassifier
from ovsam.parts.clip2sam_head import CLIP2SAMHead
from ovsam.parts.clip_backbone import CLIPBackbone
from ovsam.parts.mask_decoder import SAMMaskDecoder
from ovsam.parts.prompt_encoder import SAMPromptEncoder
from ovsam.parts.published_keys import ovsam_key, published_ovsam_key
from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter
from ovsam.prompts import Prompts
from ovsam.vocabulary import Vocabulary

pytestmark = pytest.mark.slow

TOLERANCE = 1e-3  # of an array's largest value
NUM_CLASSES, NUM_NAMES = 20, 2
PADDED_SIZE, INPUT_SIZE, ORIGINAL_SIZE = (1024, 1024), (768, 1024), (480, 640)
MASK_STRIDE = 4  # input pixels per pixel of the low-resolution masks


def model_input(reference):
    image = reference.image('street', *INPUT_SIZE)
    mean, std = torch.tensor([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]])
    padded = torch.zeros(1, 3, *PADDED_SIZE)
    padded[0, :, : INPUT_SIZE[0], : INPUT_SIZE[1]] = (image - mean[:, None, None]) / std[
        :, None, None
    ]
    return padded


@lru_cache(maxsize=1)  # the largest takes 2 GB
def published(reference, clip):
    """The published model's parts with drawn weights, and the image's features."""
    parts = SimpleNamespace(backbone=CLIPBackbone(clip))
    channels, dims = parts.backbone.out_channels, parts.backbone.embed_dims
    reference.fill(parts.backbone, 'clip.')
    parts.prompt_encoder = reference.fill(SAMPromptEncoder(), 'prompt_encoder.')
    parts.neck = SAM2CLIPAdapter(channels)
    parts.mask_decoder = SAMMaskDecoder(num_mask_tokens=1, iou_token=False, label_token=True)
    parts.label_head = CLIP2SAMHead(channels, dims)
    for name in ('neck', 'mask_decoder', 'label_head'):
        reference.fill(
            getattr(parts, name), '', lambda key, part=name: published_ovsam_key(f'{part}.{key}')
        )
    parts.classifier = OpenVocabularyClassifier()
    rows = F.normalize(reference.tensor('vocabulary', NUM_CLASSES, NUM_NAMES, dims), dim=-1)
    parts.bank = NameBank(
        Vocabulary([f'name {number}' for number in range(NUM_CLASSES)]),
        rows.flatten(0, 1),
        torch.full((NUM_CLASSES,), NUM_NAMES),
    )
    with torch.no_grad():
        parts.levels = parts.backbone(model_input(reference))
        parts.embedding = parts.neck(parts.levels)
    return parts


def segment(parts, prompts):
    sparse, dense = parts.prompt_encoder(prompts)
    return parts.mask_decoder(
        parts.embedding, parts.prompt_encoder.dense_pe(), sparse, dense, prompts.image_index
    )[0]


def as_rois(boxes):
    return torch.cat([boxes.new_zeros(len(boxes), 1), boxes], dim=1)


@pytest.fixture
def expected(ovsam_file):
    return np.load(ovsam_file)


@pytest.fixture
def parts(reference, ovsam_file):
    return published(reference, ovsam_file.stem[len('ovsam_') :])


@torch.no_grad()
def test_image_features(parts, expected, ovsam_file, check):
    arrays = {'neck_sub': parts.embedding[:, ::8, ::8, ::8]}
    for index, (level, step) in enumerate(zip(parts.levels, (8, 8, 8, 4))):
        arrays[f'level{index}_sub'] = level[:, ::16, ::step, ::step]
    pyramid = parts.label_head.forward_features(parts.levels)
    for index, (level, step) in enumerate(zip(pyramid, (8, 8, 4, 4))):
        arrays[f'fpn{index}_sub'] = level[:, ::16, ::step, ::step]
    for array, actual in arrays.items():
        check(f'{ovsam_file.stem} {array}', actual, expected[array], relative=TOLERANCE)


@pytest.mark.parametrize(
    ('case', 'roi_size'), [('box_roi12', 12), ('point_roi12', 12), ('point_roi7', 7)]
)
@torch.no_grad()
def test_masks_and_names(parts, expected, ovsam_file, check, case, roi_size):
    title = f'{ovsam_file.stem} {case}'
    boxes, points = torch.from_numpy(expected['boxes']), torch.from_numpy(expected['points'])
    is_box = case.startswith('box')
    low_res = segment(parts, Prompts.from_boxes(boxes) if is_box else Prompts.from_points(points))
    check(
        f'{title}.low_res_sub',
        low_res[:, :, ::4, ::4],
        expected[f'{case}.low_res_sub'],
        relative=TOLERANCE,
    )

    masks = postprocess_masks(low_res, PADDED_SIZE, INPUT_SIZE, ORIGINAL_SIZE)[:, 0].numpy()
    published_masks = np.unpackbits(expected[f'{case}.masks_packed'], axis=-1).astype(bool)
    # Only where a logit is nearly zero may rounding decide.
    check(f'{title}.masks, share that differs', (masks != published_masks).mean(), 0, absolute=1e-5)
    check(f'{title}.area', masks.sum(axis=(1, 2)), expected[f'{case}.area'], relative=1e-4)

    head = CLIP2SAMHead(parts.backbone.out_channels, parts.backbone.embed_dims, roi_size=roi_size)
    head.load_state_dict(parts.label_head.state_dict())
    rois = as_rois(low_res_mask_boxes(low_res[:, 0], MASK_STRIDE))
    logits = parts.classifier(head(head.forward_features(parts.levels), rois), parts.bank)
    check(f'{title}.head_logits', logits, expected[f'{case}.head_logits'], relative=TOLERANCE)
    if is_box:
        check_fusion(parts, logits, boxes, low_res[:, 0], expected, title, check)


def check_fusion(parts, logits, boxes, low_res, expected, title, check):
    """The published system pools CLIP's opinion in the prompted boxes."""
    clip_logits = parts.classifier(
        parts.backbone.embed_regions(parts.levels, as_rois(boxes), low_res), parts.bank
    )
    seen = torch.zeros(NUM_CLASSES, dtype=torch.bool)
    seen[expected['base']] = True
    fused = GeometricFusion()(logits, clip_logits, seen)
    # Classes that are neither base nor novel are left out there, and have no counterpart here.
    columns = np.concatenate([expected['base'], expected['novel'], [NUM_CLASSES]])
    published_fused = expected['box_roi12.fused_log'].reshape(len(boxes), -1)
    check(f'{title}.fused_log', fused[:, columns], published_fused[:, columns], relative=TOLERANCE)
    labels = columns[fused[:, columns].argmax(dim=1).numpy()]
    assert labels.tolist() == expected['box_roi12.labels'].tolist()


@torch.no_grad()
@pytest.mark.parametrize('clip', ['RN50', 'RN50x16', 'convnext_large_d_320'])
def test_masks_without_a_cell_are_named_by_the_head_alone(reference, clip, check):
    """The published rule, written anew: both weights are 0 where no cell of CLIP's is positive.

    Masks of drawn weights are large; every other one is cut down to its highest pixel.
    """
    parts = published(reference, clip)
    corners = torch.cartesian_prod(torch.tensor([30.0, 380]), torch.tensor([30.0, 280, 530]))
    boxes = torch.cat([corners, corners + 200], dim=1)
    low_res = segment(parts, Prompts.from_boxes(boxes))[:, 0]
    low_res[::2] -= low_res[::2].amax(dim=(1, 2), keepdim=True) - 1e-3
    regions = Regions.of_prompts(low_res, Prompts.from_boxes(boxes), PADDED_SIZE[1])
    resized = F.interpolate(low_res[:, None], (32, 32), mode='bilinear', align_corners=False)[:, 0]
    counts = (resized > 0).flatten(1).any(dim=1)
    assert not counts[::2].any() and counts[1::2].any()

    pyramid = parts.label_head.forward_features(parts.levels)
    head = parts.classifier(parts.label_head(pyramid, regions.rois['mask']), parts.bank)
    frozen = parts.classifier(
        parts.backbone.embed_regions(parts.levels, regions.rois['prompt'], low_res), parts.bank
    )
    seen = torch.arange(NUM_CLASSES) % 2 == 0
    alpha = torch.where(torch.cat([seen, torch.tensor([True])]), 0.1, 0.9) * counts[:, None]
    expected = head.softmax(-1) ** (1 - alpha) * frozen.softmax(-1) ** alpha
    title = f'ovsam_{clip} masks without a cell'
    fused = GeometricFusion()(head, frozen, seen)
    check(f'{title}, fused', fused.exp(), expected, absolute=1e-6)
    check(f'{title}, head alone', fused[~counts], head[~counts].log_softmax(-1), absolute=1e-6)


@torch.no_grad()
def test_a_convnext_averages_the_cells_of_a_mask(reference, check):
    parts = published(reference, 'convnext_large_d_320')
    boxes = torch.tensor([[100.0, 80, 500, 420], [300, 200, 420, 330], [600, 40, 1000, 700]])
    low_res = segment(parts, Prompts.from_boxes(boxes))[:, 0]
    level, visual = parts.levels[-1], parts.backbone.visual
    cells = F.interpolate(low_res[:, None], level.shape[-2:], mode='bilinear')[:, 0] > 0
    assert cells.flatten(1).any(dim=1).all()
    means = torch.stack([level[0, :, mask].mean(dim=1) for mask in cells])
    expected = visual.head(visual.trunk.forward_head(means[..., None, None]))
    embedded = parts.backbone.embed_regions(parts.levels, as_rois(boxes), low_res)
    check(
        'ovsam_convnext_large_d_320 cells of masks',
        embedded,
        F.normalize(expected, dim=-1),
        relative=TOLERANCE,
    )


def ellipses(boxes, size):
    """The ellipse inscribed in each box, as a mask (N, *size)."""
    centre, radius = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in size), indexing='ij')
    offset = (torch.stack([x, y], dim=-1)[None] - centre[:, None, None]) / radius[:, None, None]
    return offset.square().sum(dim=-1) <= 1


def test_losses_and_gradients(reference, check, clip2sam_loss_file):
    clip = clip2sam_loss_file.stem[len('clip2sam_loss_') :]
    boxes, parts = reference.boxes(clip), published(reference, clip)
    expected = json.loads(clip2sam_loss_file.read_text())
    for module in (parts.mask_decoder, parts.label_head):
        module.zero_grad()

    low_res = segment(parts, Prompts.from_boxes(boxes))
    pyramid = parts.label_head.forward_features(parts.levels)
    logits = parts.classifier(parts.label_head(pyramid, as_rois(boxes)), parts.bank)
    torch.manual_seed(0)
    loss = CLIP2SAMLoss()
    losses = dict(
        loss.of_masks(low_res[:, 0], ellipses(boxes, PADDED_SIZE)),
        loss_cls=loss.of_names(logits, torch.tensor([3, 7, 0, 11])),
    )
    sum(losses.values()).backward()

    assert losses.keys() == expected['losses'].keys()
    for name, value in losses.items():
        check(
            f'{clip2sam_loss_file.stem} {name}', value, expected['losses'][name], relative=TOLERANCE
        )
    for key, norm in expected['gradient_norms'].items():
        ours = ovsam_key(key)
        part, name = ours.split('.', 1)
        gradient = getattr(parts, part).get_parameter(name).grad
        check(
            f'{clip2sam_loss_file.stem} gradient of {ours}',
            gradient.norm(),
            norm,
            relative=TOLERANCE,
        )
