import pytest
import torch

from ovsam.apis.init_model import load_config
from ovsam.benchmarks.complexity import count_complexity
from ovsam.benchmarks.random_model import build_random_model
from ovsam.benchmarks.step_cost import count_step
from ovsam.benchmarks.unit_costs import StageCost, _count_clip2sam, _in_training, count_units
from ovsam.datasets.teacher_features import TeacherFeatures
from ovsam.segmenters.ovsam import OVSAM
from ovsam.segmenters.sam2clip_distiller import SAM2CLIPDistiller

SIZE = 128


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'nothing'))


@pytest.fixture(scope='module')
def units():
    return count_units(
        *map(load_config, ('mini/sam2clip.py', 'mini/clip2sam_base.py', 'mini/ovsam_box.py')), SIZE
    )


@pytest.fixture(scope='module')
def rows():
    return {row.part: row for row in count_complexity(load_config('mini/ovsam_box.py'), SIZE)}


def test_the_teacher_is_what_live_costs_more(units):
    assert units.live.image - units.stored.image == units.teacher > 0
    assert units.live.parameters > units.stored.parameters > units.stored.learned
    assert (units.live.record, units.stored.record) == (0, units.feature)
    assert units.live.saved == units.stored.saved  # it keeps nothing for a backward pass


def test_what_learns_runs_forward_and_backward(units, rows):
    """Backward takes twice as much as forward, but for inputs that need no gradient."""
    neck = units.stored.image - rows['backbone'].image
    assert 2.5 * rows['neck'].image < neck < 3 * rows['neck'].image
    model = build_random_model(load_config('mini/sam2clip.py'), SIZE, 'meta')
    assert units.stored.learned == sum(p.numel() for p in model.neck.parameters())
    frozen = rows['backbone'].image + rows['neck'].image
    assert units.clip2sam.masked == rows['neck'].image
    head = units.clip2sam.image - frozen
    assert 2 * rows['label_head'].image < head <= 3 * rows['label_head'].image
    assert units.clip2sam.prompt > 2 * rows['mask_decoder'].prompt


def test_checkpointing_computes_blocks_again_for_less_memory(units, rows):
    again = units.checkpointed.image - units.stored.image
    assert 0.3 * rows['neck'].image < again < rows['neck'].image
    assert 0 < units.checkpointed.saved < units.stored.saved


def test_checkpoints_hold_what_learns_and_its_moments(units):
    for stage in (units.stored, units.clip2sam):
        assert 12 * stage.learned <= stage.checkpoint < 12.5 * stage.learned


def test_use_is_the_complexity_of_the_model(units, rows):
    assert units.encode == sum(row.image for row in rows.values())
    assert units.decode + units.name == sum(row.prompt for row in rows.values())
    assert units.name == rows['backbone'].prompt + rows['label_head'].prompt


def test_a_record_is_as_long_as_one_with_values(units):
    cells = SIZE // 8
    record = TeacherFeatures.of(
        torch.randn(96, cells, cells),
        torch.randn(3, SIZE, SIZE),
        'sa_000000/sa_123456.jpg',
        dict(type='SAMImageEncoder', config='f' * 16, weights='e' * 16),
    )
    assert units.feature == len(record.to_bytes())


def test_prompts_are_a_line(monkeypatch):
    """Two prompts cost what one and three say."""
    from ovsam.benchmarks import unit_costs

    counted = {}
    count = unit_costs._count_instances

    def remember(model, number, side):
        counted[number] = count(model, number, side)
        if number == 3:
            counted[2] = count(model, 2, side)
        return counted[number]

    monkeypatch.setattr(unit_costs, '_count_instances', remember)
    stage = _count_clip2sam(_in_training(load_config('mini/clip2sam_base.py'), OVSAM, SIZE))
    assert isinstance(stage, StageCost)
    assert counted[2].operations - counted[1].operations == 2 * stage.prompt
    assert counted[2].saved - counted[1].saved == pytest.approx(2 * stage.saved_prompt, rel=0.01)


@pytest.mark.parametrize(
    ('configs', 'fault'),
    [
        (('mini/sam2clip_stored.py', 'mini/clip2sam_base.py'), 'has a stored teacher'),
        (
            ('mini/ovsam_box.py', 'mini/clip2sam_base.py'),
            'expected a config of a SAM2CLIPDistiller',
        ),
        (('mini/sam2clip.py', 'mini/sam2clip.py'), 'expected a config of a OVSAM'),
    ],
)
def test_configs_of_another_kind_are_refused(configs, fault):
    with pytest.raises(ValueError, match=fault):
        count_units(*map(load_config, (*configs, 'mini/ovsam_box.py')), SIZE)


def test_meta_counts_what_the_cpu_computes():
    def step(device):
        model = _in_training(load_config('mini/sam2clip.py'), SAM2CLIPDistiller, SIZE)
        if device == 'cpu':
            model.to_empty(device='cpu')
        images = torch.zeros(1, 3, SIZE, SIZE, device=device)
        return count_step(
            model, lambda: model.parse_losses(model.loss(images, []))[0], model.neck.blocks
        )

    assert step('meta') == step('cpu')


@pytest.mark.slow
def test_figures_of_the_documentation():
    """docs/scale.md, counted on the published model at its own size."""
    units = count_units(
        *map(
            load_config,
            (
                'sam2clip/sam2clip_RN50x16.py',
                'clip2sam/clip2sam_RN50x16_coco.py',
                'ovsam/ovsam_RN50x16_coco_box.py',
            ),
        )
    )
    assert units.teacher / 1e9 == pytest.approx(2981, rel=0.01)
    assert units.live.image / 1e9 == pytest.approx(5069, rel=0.01)
    assert units.clip2sam.image / 1e9 == pytest.approx(1231, rel=0.01)
    assert units.stored.saved / 1e9 == pytest.approx(3.58, rel=0.01)
    assert units.stored.learned / 1e6 == pytest.approx(134.1, rel=0.01)
    assert units.feature == 1_052_744
