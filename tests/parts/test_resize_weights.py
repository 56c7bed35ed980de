import pytest
import torch
import torch.nn.functional as F

from ovsam.parts.resize_weights import resize_by_products


@pytest.mark.parametrize(
    'sizes', [((4, 4), (16, 16)), ((64, 48), (56, 30)), ((5, 5), (5, 5)), ((7, 7), (3, 50))]
)
@pytest.mark.parametrize('mode', ['bilinear', 'bicubic'])
def test_the_numbers_of_interpolate(sizes, mode):
    size, wanted = sizes
    maps = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(maps, wanted, mode=mode, antialias=True)
    found = resize_by_products(maps, wanted, cubic=mode == 'bicubic')
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=3e-5)
