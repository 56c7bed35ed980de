import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.complexity import (
    ELSEWHERE,
    SECOND_LOOK,
    PartComplexity,
    count_by_part,
    count_complexity,
    total_complexity,
)
from ovsam.benchmarks.random_model import build_random_model

LENGTH, WIDTH = 5, 8


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.idle = nn.Linear(2, 2)

    def run(self):
        tokens = torch.zeros(1, LENGTH, WIDTH)
        self.stem[0](torch.zeros(1, 3, 6, 6))  # a part of a part
        tokens = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return F.scaled_dot_product_attention(tokens, tokens, tokens)


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_operations_by_hand(device):
    """Attention too, which runs in a kernel of its own."""
    with torch.device(device):
        toy = Toy().eval()
        counts, result = count_by_part(toy, toy.run)
    products = 2 * LENGTH * LENGTH * WIDTH  # queries with keys, weights with values
    assert result.shape == (1, LENGTH, WIDTH)
    assert counts == {
        'stem': 6 * 6 * 4 * 3 * 9,
        'idle': 0,
        ELSEWHERE: products,
        'attention': 4 * LENGTH * WIDTH * WIDTH + products,
    }
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.fixture(scope='module')
def counted():
    """Rows by part of OVSAM and of a yardstick of the small world."""
    return {
        name: {row.part: row for row in count_complexity(load_config(f'mini/{name}_box.py'))}
        for name in ('ovsam', 'image_crop', 'feature_crop')
    }


def test_parts_of_ovsam(counted):
    rows = counted['ovsam']
    model = build_random_model(load_config('mini'), device='meta')
    for name in (
        'backbone',
        'neck',
        'prompt_encoder',
        'mask_decoder',
        'label_head',
        'text_encoder',
    ):
        part = getattr(model, name)
        assert rows[name].parameters == sum(p.numel() for p in part.parameters())
    # By hand: the first convolution of the neck on CLIP's finest level, 64 x 64 cells of 96.
    assert rows['neck'].image > 96 * 96 * 4 * 32 * 32
    assert rows['neck'].prompt == rows['mask_decoder'].image == rows['text_encoder'].image == 0
    assert rows['label_head'].image > 0 and rows['label_head'].prompt > 0


def test_the_total_leaves_the_text_encoder_out(counted):
    rows = counted['ovsam']
    total = total_complexity(rows.values())
    assert not rows['text_encoder'].counts
    assert total.parameters == sum(
        row.parameters for row in rows.values() if row.part != 'text_encoder'
    )
    assert total.total(3) == total.image + 3 * total.prompt


def test_a_crop_costs_a_pass_of_clip_for_each_prompt(counted):
    crop, feature = counted['image_crop']['backbone'], counted['feature_crop']['backbone']
    assert crop.image == 0 < crop.prompt
    assert feature.image > 0 and feature.prompt < crop.prompt


def test_a_second_look_costs_a_pass_of_clip_for_a_share_of_the_prompts(counted):
    cfg = load_config('mini/ovsam_base_second_look_box.py')
    half, whole = (
        {row.part: row for row in count_complexity(cfg, again=share)} for share in (0.5, 1.0)
    )
    look = whole.pop(SECOND_LOOK)
    assert look.image == 0 and look.parameters == 0
    assert look.prompt == counted['image_crop']['backbone'].prompt
    assert half.pop(SECOND_LOOK).prompt == pytest.approx(look.prompt / 2, abs=1)
    assert half == whole == counted['ovsam']


def test_a_larger_input_costs_more(counted):
    smaller = {row.part: row for row in count_complexity(load_config('mini'), size=128)}
    ratio = counted['ovsam']['backbone'].image / smaller['backbone'].image
    assert ratio == pytest.approx(4, rel=1e-3)


def test_figures_of_the_paper():
    """The published model at its own size; docs/results.md says where the rest goes."""
    rows = count_complexity(load_config('ovsam/ovsam_RN50x16_coco_box.py'))
    total = total_complexity(rows)
    assert total.total(10) / 1e9 == pytest.approx(1124.7, rel=0.01)
    pool = next(row for row in rows if row.part == 'backbone').prompt
    width, tokens, channels = 3072, 12 * 12 + 1, 768
    # A query's three products with matrices, the embedding's, and of each of 48 heads a score of
    # each token and the sum of the cells, to which the mean is added.
    assert pool == 3 * width**2 + width * channels + 48 * (2 * tokens - 1) * width + width
    # The published pool projects, mixes and embeds all tokens.
    published = tokens * (3 * width**2 + 2 * tokens * width + width * channels)
    with_published_pool = total.total(10) + 10 * (published - pool)
    assert with_published_pool / 1e9 == pytest.approx(1180, rel=0.03)
    assert total.parameters / 1e6 == pytest.approx(308.96, rel=0.01)
    assert total.parameters / 1e6 == pytest.approx(304, rel=0.03)


def test_nothing_is_nothing():
    assert total_complexity([]) == PartComplexity('total', 0, 0, 0, True)
