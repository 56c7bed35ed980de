"""Published weights become ours and come back, every value as it was; others are refused."""

import pytest
import torch

from ovsam.checkpoints.conversion import (
    NEVER_USED,
    NOT_ASKED,
    UNKNOWN,
    from_published,
    to_published,
)
from ovsam.checkpoints.parts import check_parts
from ovsam.parts.mask_decoder import SAMMaskDecoder
from tests.published_weights import small_sam_encoder

LABEL_MLP = 'mask_decoder.label_mlp.layers.0.weight'


def same(first, second):
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) and first[key].dtype == second[key].dtype
        for key in first
    )


def test_nothing_to_convert():
    with pytest.raises(ValueError, match="another model's.*expected SAM"):
        from_published({})
    with pytest.raises(ValueError, match='no part of image_encoder, .* and 1 more in it'):
        to_published({})


@pytest.mark.parametrize(
    ('kind', 'title', 'parts'),
    [
        ('sam', 'a SAM checkpoint', {'image_encoder', 'prompt_encoder', 'mask_decoder'}),
        ('clip', 'a CLIP checkpoint', {'clip'}),
        ('vit_clip', 'a CLIP checkpoint', {'clip'}),
        ('sam2clip', 'a published SAM2CLIP checkpoint', {'neck'}),
        ('clip2sam', 'a published CLIP2SAM checkpoint', {'label_head', 'mask_decoder'}),
        ('ovsam', 'a published OVSAM checkpoint', {'neck', 'label_head', 'mask_decoder'}),
    ],
)
def test_there_and_back(published, kind, title, parts):
    there = from_published(published[kind])
    assert there.kind == title
    assert {key.split('.')[0] for key in there.state_dict} == parts
    assert there.used.keys() | there.dropped.keys() == published[kind].keys()
    back = to_published(there.state_dict, there.unused)
    assert same(back.state_dict, published[kind])


def test_modules_load_what_was_converted(published):
    state = from_published(published['sam']).state_dict
    encoder = small_sam_encoder()
    prefix = 'image_encoder.'
    weights = {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}
    assert weights.keys() == encoder.state_dict().keys()
    encoder.load_state_dict(weights)
    assert torch.equal(
        encoder.layers[0].ln1.weight, published['sam']['image_encoder.blocks.0.norm1.weight']
    )


def test_weights_that_the_published_model_never_uses(published):
    there = from_published(published['ovsam'])
    assert there.dropped == {LABEL_MLP: NEVER_USED} and list(there.unused) == [LABEL_MLP]
    back = to_published(there.state_dict)
    assert published['ovsam'].keys() - back.state_dict.keys() == {LABEL_MLP}
    assert back.missed == ['mask_decoder.label_mlp']


def test_some_parts_only(published):
    some = from_published(published['sam'], ['prompt_encoder', 'mask_decoder'])
    assert {key.split('.')[0] for key in some.state_dict} == {'prompt_encoder', 'mask_decoder'}
    assert set(some.dropped.values()) == {NOT_ASKED} and not some.missed
    assert from_published(published['sam2clip']).missed == ['label_head', 'mask_decoder']
    with pytest.raises(
        ValueError, match='a CLIP checkpoint with the parts clip: expected one with neck'
    ):
        from_published(published['clip'], ['neck'])


def test_one_tower_of_clip(published):
    image = {key: value for key, value in published['clip'].items() if key.startswith('visual.')}
    text = {key: value for key, value in published['clip'].items() if key not in image}
    for tower in (image, text):
        assert from_published(tower).used.keys() == tower.keys()


def test_unknown_keys_are_dropped(published):
    # What OpenAI's archives hold beside weights.
    extra = {
        'input_resolution': torch.tensor(64),
        'transformer.resblocks.0.attn_mask': torch.zeros(8, 8),
    }
    conversion = from_published({**published['clip'], **extra})
    assert conversion.dropped == dict.fromkeys(extra, UNKNOWN)
    assert conversion.used.keys() == published['clip'].keys()


@pytest.mark.parametrize(
    ('kind', 'key', 'message'),
    [
        (
            'sam',
            'image_encoder.blocks.1.attn.qkv.bias',
            "SAM's image encoder .* is incomplete: layers.1.attn.qkv.bias missing of",
        ),
        (
            'sam',
            'image_encoder.pos_embed',
            "SAM's image encoder .* is damaged, or of another arch.*: pos_embed is missing",
        ),
        ('clip', 'visual.layer2.1.bn1.weight', 'CLIP .* is incomplete: visual.layer2.1.bn1.weight'),
        (
            'ovsam',
            'neck_student.blocks.0.norm2.bias',
            'adapter .* is incomplete: blocks.0.ln2.bias',
        ),
        (
            'ovsam',
            'mask_decoder.roi_conv.0.conv.weight',
            'head .* is damaged, .*: projection.weight',
        ),
        (
            'ovsam',
            'mask_decoder.mask_decoder.output_upscaling.0.bias',
            'mask decoder .* is incompl',
        ),
    ],
)
def test_missing_weight(published, kind, key, message):
    without = {name: value for name, value in published[kind].items() if name != key}
    with pytest.raises(ValueError, match=message):
        from_published(without)


@pytest.mark.parametrize(
    ('kind', 'key', 'message'),
    [
        (
            'sam',
            'image_encoder.blocks.0.mlp.lin2.weight',
            r'shapes: layers.0.ffn.layers.1.weight '
            r'\(7, 3\) instead of \(24, 48\)',
        ),
        ('sam', 'image_encoder.pos_embed', r'pos_embed has the shape \(7, 3\), expected 4 dim'),
        ('clip', 'ln_final.bias', r'CLIP .*shapes: ln_final.bias \(7, 3\) instead of \(16,\)'),
        ('sam2clip', 'neck_student.level_encoding.weight', r'\(7, 3\) instead of \(4, 24\)'),
        ('clip2sam', 'fpn_neck.fpn_convs.2.conv.bias', r'\(7, 3\) instead of \(8,\)'),
    ],
)
def test_wrong_shape(published, kind, key, message):
    with pytest.raises(ValueError, match=message):
        from_published({**published[kind], key: torch.zeros(7, 3)})


@pytest.mark.parametrize(
    ('keys', 'message'),
    [
        (['backbone.conv1.weight', 'rpn_head.x'], "a detector's checkpoint.*expected SAM"),
        (['layer1.0.conv1.weight'], "another model's.*expected SAM"),
        (['neck.pos_embed'], "this project's keys already: .*SAM2CLIP"),
        (['neck.lateral_convs.0.conv.weight', 'roi_head.x'], "seems to be a detector's checkpoint"),
        (['clip.visual.conv1.weight'], "this project's keys already: .*CLIP"),
    ],
)
def test_another_kind(keys, message):
    with pytest.raises(ValueError, match=message):
        from_published({key: torch.zeros(1) for key in keys})


def test_parts_of_several_published_files(published):
    both = {
        **from_published(published['clip']).state_dict,
        **from_published(published['ovsam']).state_dict,
    }
    with pytest.raises(ValueError, match='published in 2 files: choose .*clip .a CLIP checkpoint'):
        to_published(both)
    assert same(to_published(both, parts=['clip']).state_dict, published['clip'])


def test_batch_counters_may_lack(published):
    state = {
        key: value
        for key, value in from_published(published['clip']).state_dict.items()
        if not key.endswith('num_batches_tracked')
    }
    assert check_parts(state) == set()


def test_decoder_that_says_only_half_of_its_iou_token(published):
    state = {
        'mask_decoder.' + key: value
        for key, value in SAMMaskDecoder(16, transformer={'depth': 1, 'mlp_dim': 24})
        .state_dict()
        .items()
    }
    del state['mask_decoder.iou_token.weight']
    with pytest.raises(ValueError, match='iou_token.weight missing'):
        check_parts(state)
