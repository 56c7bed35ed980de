"""Weights of parts come by init_cfg; those that rename keys have tests of their own."""

import pytest
import torch

from ovsam.parts import CLIP2SAMHead, PyramidImageEncoder, SAMMaskDecoder, SAMPromptEncoder

from . import test_clip2sam_head, test_mask_decoder, test_prompt_encoder, test_pyramid_image_encoder


@pytest.mark.parametrize(
    ('part', 'tests', 'prefix'),
    [
        (SAMMaskDecoder, test_mask_decoder, 'mask_decoder.'),
        (SAMPromptEncoder, test_prompt_encoder, 'prompt_encoder.'),
        (CLIP2SAMHead, test_clip2sam_head, 'clip2sam_head.'),
        (PyramidImageEncoder, test_pyramid_image_encoder, 'image_encoder.'),
    ],
)
def test_weights_come_by_init_cfg(load_by_init_cfg, part, tests, prefix):
    expected = part(**tests.TINY).state_dict()
    found = load_by_init_cfg(
        lambda init_cfg: part(**tests.TINY, init_cfg=init_cfg), expected, prefix
    ).state_dict()
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
