import pytest
import torch
from torch import nn

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.complexity import count_complexity
from ovsam.benchmarks.scale import (
    Machine,
    Source,
    Stage,
    count_clip2sam,
    count_sam2clip,
    count_step,
    row,
    scale_table,
)

SIZE, ROWS, WIDTH = 128, 5, 8
CONFIGS = ('mini/sam2clip.py', 'mini/clip2sam_base.py', 'mini/ovsam_box.py')


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'nothing'))


def test_nothing_that_learns_is_nothing():
    weight = nn.Parameter(torch.zeros(3))
    model = nn.ParameterList([weight])
    assert count_step(model, lambda: weight.sum()) == (0, 0)


@pytest.mark.parametrize('device', ['cpu', 'meta'])
def test_a_step_by_hand(device):
    model = nn.Sequential(
        nn.Linear(WIDTH, WIDTH, bias=False),
        nn.Sigmoid(),
        nn.Linear(WIDTH, WIDTH, bias=False),
        nn.Sigmoid(),
    ).to(device)
    x = torch.zeros(ROWS, WIDTH, device=device)
    # Forward twice; backward twice to the weights and once to an input: the first has none.
    # The input and two sigmoids' outputs are kept; the weights are parameters.
    assert count_step(model, lambda: model(x).sum()) == (
        5 * ROWS * WIDTH * WIDTH,
        3 * ROWS * WIDTH * 4,
    )


def test_what_learns_runs_forward_and_backward():
    parts = {part.part: part for part in count_complexity(load_config(CONFIGS[2]), SIZE)}
    live, stored, record = count_sam2clip(load_config(CONFIGS[0]), SIZE)
    assert live.image > stored.image and live.parameters > stored.parameters > stored.learned > 0
    assert record > 96 * (SIZE // 8) ** 2  # a byte a value, and what says whose it is
    # Backward takes twice as much as forward, but for inputs that need no gradient.
    neck = stored.image - parts['backbone'].image
    assert 2.5 * parts['neck'].image < neck < 3 * parts['neck'].image
    second = count_clip2sam(load_config(CONFIGS[1]), SIZE)
    head = second.image - parts['backbone'].image - parts['neck'].image
    assert 2 * parts['label_head'].image < head <= 3 * parts['label_head'].image
    assert second.prompt > 2 * parts['mask_decoder'].prompt
    assert 0 < second.saved_prompt and 0 < second.learned < second.parameters


def test_a_training_by_hand():
    # A GPU that computes 100 GFLOPs of ours a second.
    machine = Machine(gpus=2, peak=400e9, utilisation=0.5)
    stage = Stage(image=int(40e9), saved=10**9, parameters=10**9, learned=10**8, prompt=int(10e9))
    cells = row('it', machine, Source(3600, 2, 10**9, prompts=1), stage, record=10**9)
    assert cells == [
        'it',
        '7,200',  # images, twice
        '50',
        '1.0',  # half a second each
        '7.6',  # 4 bytes of each parameter, 16 of those that learn, two images' activations
        '0.4',  # 0.4 GB of gradients sent in a second
        '8.00',  # two GPUs, two images a second, each with its record
        '3,600',
        '3,600',
    ]


def test_a_job_by_hand():
    machine = Machine(gpus=1, peak=400e9, utilisation=0.5)
    cells = row('it', machine, Source(3600, 1, 10**9), 100e9, record=2 * 10**9)
    assert cells == ['it', '3,600', '100', '1.0', '', '', '1.00', '3,600', '7,200']


@pytest.mark.parametrize(
    ('configs', 'fault'),
    [
        (('mini/sam2clip_stored.py', *CONFIGS[1:]), 'has a stored teacher'),
        ((CONFIGS[2], *CONFIGS[1:]), 'expected a config of a SAM2CLIPDistiller'),
        ((CONFIGS[0], *CONFIGS[:1], CONFIGS[2]), 'expected a config of a OVSAM'),
    ],
)
def test_configs_of_another_kind_are_refused(configs, fault):
    with pytest.raises(ValueError, match=fault):
        scale_table([load_config(config) for config in configs], Machine(), 1000, SIZE)
