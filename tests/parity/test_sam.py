"""SAM's parts against the published implementation."""

import numpy as np
import pytest
import torch

from ovsam.apis import make_prompts
from ovsam.parts.mask_decoder import SAMMaskDecoder
from ovsam.parts.prompt_encoder import SAMPromptEncoder
from ovsam.parts.published_keys import published_sam_image_encoder_key
from ovsam.parts.sam_image_encoder import SAMImageEncoder
from ovsam.prompts import Prompts

TOLERANCE = 1e-4
SIZES = {'b': 'base', 'l': 'large', 'h': 'huge'}


@pytest.fixture(scope='module')
def sam(reference):
    """Prompt encoder, mask decoder and an image embedding."""
    return (
        reference.fill(SAMPromptEncoder(), 'prompt_encoder.'),
        reference.fill(SAMMaskDecoder(), 'mask_decoder.'),
        reference.tensor('sam_embedding', 1, 256, 64, 64),
    )


@pytest.fixture
def sam_decoder_numbers(sam_decoder_file):
    return np.load(sam_decoder_file)


def case_prompts(case, numbers, reference):
    points, labels, boxes = (
        torch.from_numpy(numbers[key]) for key in ('points', 'labels', 'boxes')
    )
    return {
        'points': lambda: Prompts.from_points(points, labels),
        'boxes': lambda: Prompts.from_boxes(boxes),
        'points_boxes': lambda: make_prompts(points, labels, boxes),
        'points_masks': lambda: Prompts.from_points(
            points, labels, masks=reference.tensor('sam_mask_input', 3, 1, 256, 256)
        ),
        'single_point': lambda: Prompts.from_points(points[:, :1]),
    }[case]()


@torch.no_grad()
def test_position_encoding(sam, sam_decoder_numbers, check):
    check(
        'sam_decoder dense_pe',
        sam[0].dense_pe()[:, ::8, ::8, ::8],
        sam_decoder_numbers['dense_pe_sub'],
        absolute=TOLERANCE,
    )


@pytest.mark.parametrize(
    'case', ['points', 'boxes', 'points_boxes', 'points_masks', 'single_point']
)
@torch.no_grad()
def test_decoder(sam, sam_decoder_numbers, reference, check, case):
    if f'{case}.iou' not in sam_decoder_numbers:
        pytest.skip('this case is only in the folder that OVSAM_PARITY names')
    prompt_encoder, mask_decoder, embedding = sam
    prompts = case_prompts(case, sam_decoder_numbers, reference)
    sparse, dense = prompt_encoder(prompts)
    masks, iou = mask_decoder(
        embedding, prompt_encoder.dense_pe(), sparse, dense, prompts.image_index
    )
    for array, actual in (
        ('sparse', sparse),
        ('dense_sub', dense[:, ::8, ::8, ::8]),
        ('masks_sub', masks[:, :, ::8, ::8]),
        ('iou', iou),
    ):
        check(
            f'sam_decoder {case}.{array}',
            actual,
            sam_decoder_numbers[f'{case}.{array}'],
            absolute=TOLERANCE,
        )


@pytest.mark.slow
@torch.no_grad()
def test_image_encoder(reference, check, sam_encoder_file):
    expected = np.load(sam_encoder_file)
    size = sam_encoder_file.stem.split('_')[2]
    encoder = reference.fill(
        SAMImageEncoder(SIZES[size]), 'image_encoder.', published_sam_image_encoder_key
    )
    embedding = encoder(reference.tensor('sam_image', 1, 3, 1024, 1024))
    for array, actual in (
        ('embedding_sub', embedding[:, ::8, ::8, ::8]),
        ('embedding_mean', embedding.mean()),
        ('embedding_std', embedding.std()),
    ):
        check(f'{sam_encoder_file.stem} {array}', actual, expected[array], absolute=TOLERANCE)
