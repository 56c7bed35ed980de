import pytest
import torch

from ovsam.models.clip_arch import build_clip
from ovsam.models.clip_image_tower import CLIPImageTower


@pytest.fixture
def tiny_vit(tiny_clip):
    """A kind that has no levels of features."""
    vision = {'image_size': 32, 'layers': 2, 'width': 64, 'patch_size': 16}
    return {**tiny_clip, 'vision_cfg': vision}


def test_no_images(tiny_vit):
    assert CLIPImageTower(tiny_vit).embed_images(torch.zeros(0, 3, 32, 32)).shape == (0, 16)


def test_a_vision_transformer_embeds_images(tiny_vit, load_by_init_cfg):
    torch.manual_seed(0)
    clip = build_clip(tiny_vit).eval()
    tower = load_by_init_cfg(lambda init_cfg: CLIPImageTower(tiny_vit, init_cfg),
                             clip.state_dict(), 'clip.')
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(tower.embed_images(images), clip.encode_image(images, True))
    assert tower.image_size == 32


def test_images_of_another_size_are_refused(tiny_vit):
    with pytest.raises(ValueError, match=r'\(64, 64\).* embeds whole images of \(32, 32\)'):
        CLIPImageTower(tiny_vit).embed_images(torch.zeros(1, 3, 64, 64))
