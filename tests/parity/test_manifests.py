"""Every published key has its place, of the same shape, without building the weights."""

import pytest
import torch

from ovsam.checkpoints.conversion import NEVER_USED, from_published
from ovsam.parts.clip2sam_head import CLIP2SAMHead
from ovsam.parts.clip_backbone import CLIPBackbone
from ovsam.parts.clip_text_encoder import CLIPTextEncoder
from ovsam.parts.mask_decoder import SAMMaskDecoder
from ovsam.parts.prompt_encoder import SAMPromptEncoder
from ovsam.parts.published_keys import sam_image_encoder_key
from ovsam.parts.sam2clip_adapter import SAM2CLIPAdapter
from ovsam.parts.sam_image_encoder import SAMImageEncoder

SAM_SIZES = {'b': 'base', 'l': 'large', 'h': 'huge'}


def shapes(module, prefix):
    return {prefix + key: list(value.shape) for key, value in module.state_dict().items()}


@pytest.fixture(autouse=True)
def no_memory():
    with torch.device('meta'):
        yield


def test_sam(reference, sam_manifest):
    published = reference.manifest(sam_manifest.stem)
    prefix = 'image_encoder.'
    published = {
        (
            prefix + sam_image_encoder_key(key[len(prefix) :]) if key.startswith(prefix) else key
        ): shape
        for key, shape in published.items()
    }
    ours = {
        **shapes(SAMImageEncoder(SAM_SIZES[sam_manifest.stem[-1]]), prefix),
        **shapes(SAMPromptEncoder(), 'prompt_encoder.'),
        **shapes(SAMMaskDecoder(), 'mask_decoder.'),
    }
    assert ours == published


def test_clip(reference, clip_manifest):
    published = reference.manifest(clip_manifest.stem)
    arch = clip_manifest.stem[len('clip_') :]
    text = {key[len('text.') :]: shape for key, shape in shapes(CLIPTextEncoder(arch), '').items()}
    del published['logit_scale']
    assert {**shapes(CLIPBackbone(arch), ''), **text} == published


def test_ovsam(reference, ovsam_manifest):
    published = {
        key: torch.empty(shape) for key, shape in reference.manifest(ovsam_manifest.stem).items()
    }
    backbone = CLIPBackbone(ovsam_manifest.stem[len('ovsam_') :])
    decoder = SAMMaskDecoder(num_mask_tokens=1, iou_token=False, label_token=True)
    ours = {
        **shapes(SAM2CLIPAdapter(backbone.out_channels), 'neck.'),
        **shapes(CLIP2SAMHead(backbone.out_channels, backbone.embed_dims), 'label_head.'),
        **shapes(decoder, 'mask_decoder.'),
    }
    converted = from_published(published)
    assert ours == {key: list(value.shape) for key, value in converted.state_dict.items()}
    assert set(converted.dropped.values()) <= {NEVER_USED}
