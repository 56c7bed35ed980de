import pytest
import torch

from ovsam.parts import mask_decoder
from ovsam.parts.mask_decoder import (
    AllGuesses,
    AllMasks,
    AmbiguityAwareChoice,
    FirstMask,
    SAMMaskDecoder,
    is_ambiguous,
)
from ovsam.prompts import Prompts

TINY = {'embed_dims': 16, 'transformer': {'num_heads': 2, 'mlp_dim': 8}}
PUBLISHED_OVSAM = {'num_mask_tokens': 1, 'iou_token': False, 'label_token': True}
POINT = Prompts.from_points([[[3.0, 4.0]]])
BOX = Prompts.from_boxes([[1.0, 2.0, 5.0, 6.0]])


@pytest.fixture
def build():

    def build_decoder(**kwargs):
        torch.manual_seed(0)
        return SAMMaskDecoder(**{**TINY, **kwargs}).eval()

    return build_decoder


def inputs(num_prompts, num_images=2, size=(4, 5)):
    torch.manual_seed(1)
    return {
        'image_embeddings': torch.randn(num_images, 16, *size),
        'image_pe': torch.randn(1, 16, *size),
        'sparse': torch.randn(num_prompts, 3, 16),
        'dense': torch.randn(num_prompts, 16, *size),
        'image_index': torch.arange(num_prompts) % num_images,
    }


def test_no_prompts(build):
    masks, iou = build()(**inputs(0))
    assert masks.shape == (0, 4, 16, 20)
    assert iou.shape == (0, 4)


@pytest.mark.parametrize(
    ('kwargs', 'num_masks', 'has_iou'), [({}, 4, True), (PUBLISHED_OVSAM, 1, False)]
)
def test_shapes(build, kwargs, num_masks, has_iou):
    masks, iou = build(**kwargs)(**inputs(3))
    assert masks.shape == (3, num_masks, 16, 20)
    assert (iou is not None) == has_iou


def test_each_prompt_reads_its_own_image(build):
    decoder, args = build(), inputs(3)
    masks, iou = decoder(**args)
    for row in range(3):
        image = args['image_index'][row]
        alone = decoder(
            args['image_embeddings'][image][None],
            args['image_pe'],
            args['sparse'][row][None],
            args['dense'][row][None],
            torch.zeros(1, dtype=torch.long),
        )
        torch.testing.assert_close(masks[row], alone[0][0])
        torch.testing.assert_close(iou[row], alone[1][0])


@pytest.mark.parametrize(
    ('num_prompts', 'kwargs'), [(0, {}), (1, {}), (5, {}), (5, PUBLISHED_OVSAM)]
)
@torch.no_grad()
def test_groups_of_prompts_give_what_all_at_once_give(build, monkeypatch, num_prompts, kwargs):
    decoder, args = build(**kwargs), inputs(num_prompts)
    sizes = []
    monkeypatch.setattr(
        decoder.transformer,
        'forward',
        lambda tokens, image, pe, run=(decoder.transformer.forward): (
            sizes.append(len(tokens)) or run(tokens, image, pe)
        ),
    )
    masks, iou = decoder(**args)
    monkeypatch.setattr(mask_decoder, 'GROUP_BYTES', 2 * 2 * 16 * 20 * 4)  # two prompts
    in_groups = decoder(**args)
    assert sizes == {0: [0, 0], 1: [1, 1], 5: [5, 2, 2, 1]}[num_prompts]
    torch.testing.assert_close(in_groups[0], masks)
    assert (iou is None) == (in_groups[1] is None)
    if iou is not None:
        torch.testing.assert_close(in_groups[1], iou)


def test_masks_are_those_of_the_transposed_convolutions(build):
    decoder = build()
    tokens, image = torch.randn(2, 4, 16), torch.randn(2, 16, 4, 5)
    upscaled = decoder.output_upscaling(image)
    weights = torch.stack(
        [mlp(token) for mlp, token in zip(decoder.output_hypernetworks_mlps, tokens.unbind(1))],
        dim=1,
    )
    expected = torch.einsum('nmc,nchw->nmhw', weights, upscaled)
    actual = decoder._predict_masks(tokens, image.flatten(2).transpose(1, 2), (4, 5))
    torch.testing.assert_close(actual, expected)


def test_label_token_changes_masks(build):
    decoder, args = build(**PUBLISHED_OVSAM), inputs(1)
    before = decoder(**args)[0]
    with torch.no_grad():
        decoder.label_token.weight.add_(1)
    assert not torch.allclose(before, decoder(**args)[0])


def test_starts_from_the_first_of_sams_mask_tokens(build):
    sam, decoder = build().state_dict(), build(**PUBLISHED_OVSAM)
    incompatible = decoder.load_state_dict(sam, strict=False)
    assert incompatible.missing_keys == ['label_token.weight']
    assert torch.equal(decoder.mask_tokens.weight, sam['mask_tokens.weight'][:1])
    assert len(sam['mask_tokens.weight']) == 4
    with pytest.raises(RuntimeError, match='size mismatch for mask_tokens'):
        build(num_mask_tokens=5).load_state_dict(sam, strict=False)


@pytest.mark.parametrize('kwargs', [{}, PUBLISHED_OVSAM])
def test_every_parameter_learns(build, kwargs):
    decoder = build(**kwargs)
    masks, iou = decoder(**inputs(2))
    (masks.square().sum() + (iou.sum() if iou is not None else 0)).backward()
    idle = {name for name, parameter in decoder.named_parameters() if parameter.grad is None}
    # Tokens are read after the last block, the image before its last norm's output is dropped.
    assert idle == set()


@pytest.mark.parametrize('wrong', [{'embed_dims': 12}, {'transformer': {'num_heads': 3}}])
def test_sizes_that_do_not_divide_are_refused(wrong):
    with pytest.raises(ValueError, match='multiple of 8|share evenly'):
        SAMMaskDecoder(**{**TINY, **wrong})


def test_no_prompts_leave_nothing_to_choose():
    none = Prompts.empty()
    assert FirstMask()(none, None).tolist() == []
    assert AmbiguityAwareChoice()(none, torch.zeros(0, 4)).tolist() == []


def test_a_single_click_gets_the_best_guess_a_box_the_first_mask():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    prompts = Prompts.cat([POINT, BOX])
    assert AmbiguityAwareChoice()(prompts, quality).tolist() == [[2], [0]]
    assert FirstMask()(prompts, quality).tolist() == [[0], [0]]


def test_all_guesses_come_best_first():
    quality = torch.tensor([[0.9, 0.1, 0.3, 0.2], [0.1, 0.9, 0.8, 0.7]])
    assert AllGuesses()(Prompts.cat([POINT, BOX]), quality).tolist() == [[2, 3, 1], [1, 2, 3]]
    assert AllMasks()(Prompts.cat([POINT, BOX]), quality).tolist() == [[0, 2, 3, 1], [1, 2, 3, 0]]


def test_corrections_and_mask_prompts_leave_no_doubt():
    corrected = POINT.with_points(torch.tensor([[9.0, 9.0]]), torch.tensor([0]))
    masked = Prompts.from_points([[[3.0, 4.0]]], masks=torch.zeros(1, 1, 8, 8))
    assert [is_ambiguous(each).item() for each in (POINT, BOX, corrected, masked)] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize('quality', [None, torch.zeros(1, 1)])
def test_nothing_to_choose_from(quality):
    for choice in (AmbiguityAwareChoice(), AllGuesses(), AllMasks()):
        with pytest.raises(ValueError, match='one mask per prompt'):
            choice(POINT, quality)
