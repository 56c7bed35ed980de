import torch

from ovsam.parts.photographs.light_adapter import DepthwiseBlock, LightAdapter
from ovsam.parts.photographs.skip_mask_decoder import SkipMaskDecoder

CHANNELS = (16, 8, 4)


def decode(num, decoder):
    maps = [torch.randn(num, width, 2 * side, 2 * side) for width, side in zip(CHANNELS, (1, 2, 4))]
    index = torch.arange(num) % 2
    return decoder(
        torch.randn(2, 16, 2, 2),
        torch.randn(1, 16, 2, 2),
        torch.randn(num, 2, 16),
        maps,
        index,
        [torch.randn(2, 5, 4, 4), torch.randn(2, 3, 8, 8)],
    )


def tiny():
    torch.manual_seed(0)
    return SkipMaskDecoder(
        (5, 3),
        CHANNELS,
        depths=(1, 1, 0),
        num_mask_tokens=3,
        transformer=dict(depth=1, num_heads=2, mlp_dim=8, downsample=1),
    ).eval()


def test_no_prompts():
    masks, quality = decode(0, tiny())
    assert masks.shape == (0, 3, 8, 8) and quality.shape == (0, 3)


def test_masks_of_four_times_the_size():
    masks, quality = decode(3, tiny())
    assert masks.shape == (3, 3, 8, 8) and quality.shape == (3, 3)


def test_everything_learns():
    decoder = tiny().train()
    blocks = [each for each in decoder.modules() if isinstance(each, DepthwiseBlock)]
    assert blocks
    for block in blocks:  # they begin as nothing, and so learn nothing but that at first
        torch.nn.init.normal_(block.narrow.weight)
    sum(each.square().sum() for each in decode(2, decoder)).backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0
        for p in decoder.parameters()
        if p.numel() > 1 and 'k_proj.bias' not in _name(decoder, p)
    )


def _name(module, parameter):
    return next(name for name, each in module.named_parameters() if each is parameter)


def test_a_prompt_reads_the_level_of_its_own_picture():
    decoder = tiny()
    torch.manual_seed(1)
    skips = [torch.randn(2, 5, 4, 4), torch.randn(2, 3, 8, 8)]
    maps = [torch.zeros(1, width, size, size) for width, size in zip(CHANNELS, (2, 4, 8))]
    same = torch.zeros(2, 16, 2, 2), torch.zeros(1, 16, 2, 2), torch.zeros(1, 2, 16)
    first, second = (decoder(*same, maps, torch.tensor([image]), skips)[0] for image in (0, 1))
    assert not torch.allclose(first, second)
    swapped = decoder(*same, maps, torch.tensor([1]), [skip.flip(0) for skip in skips])[0]
    torch.testing.assert_close(first, swapped)


def test_the_adapter_gives_stride_16():
    adapter = LightAdapter((2, 3, 4, 5, 6), out_channels=8, depth=1)
    levels = [
        torch.randn(1, width, side, side) for width, side in zip((2, 3, 4, 5, 6), (16, 8, 4, 2, 2))
    ]
    assert adapter(levels).shape == (1, 8, 4, 4)


def test_blocks_begin_as_nothing():
    """So that they can be added to what is trained."""
    torch.manual_seed(0)
    x = torch.randn(2, 8, 5, 5)
    block = DepthwiseBlock(8)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.narrow.weight.grad.abs().sum() > 0
