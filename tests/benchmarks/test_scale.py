import pytest

from ovsam.benchmarks.scale import (
    Job,
    Machine,
    Recipe,
    Source,
    StageCost,
    job_budget,
    training_budget,
)

# A GPU that computes 100 operations a second: 400 FLOP of which half are reached.
MACHINE = Machine(gpus=2, peak=400, utilisation=0.5, network=1000)
STAGE = StageCost(
    image=50,
    prompt=10,
    saved=7,
    saved_prompt=3,
    parameters=30,
    learned=20,
    checkpoint=99,
    record=5,
    masked=8,
)


def test_no_images_are_refused():
    for sources in ((), (Source('empty', 0, 1, 1),)):
        with pytest.raises(ValueError, match='nothing needs a positive batch and sources'):
            training_budget(Recipe('nothing', STAGE, sources), MACHINE)
    with pytest.raises(ValueError, match='nothing needs images; got 0'):
        job_budget(Job('nothing', 0, 1, 1, 1), MACHINE)


@pytest.mark.parametrize(
    'settings',
    [dict(gpus=0), dict(peak=0), dict(network=-1), dict(utilisation=0), dict(utilisation=1.1)],
)
def test_impossible_machines_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Machine(**settings)


def test_a_training_by_hand():
    recipe = Recipe(
        'two',
        STAGE,
        (Source('a', 5, 3, 11, prompts=4.0), Source('b', 4, 1, 20)),
        batch=2,
        most_prompts=6,
    )
    budget = training_budget(recipe, MACHINE)
    assert budget.seen == 5 * 3 + 4
    # Of 5 images each GPU has 3, in 2 batches; of 4 it has 2, in one.
    assert budget.steps == 3 * 2 + 1
    operations = 50 * 19 + 10 * 4 * 15 - 8 * 4  # b has no masks
    assert budget.operations == pytest.approx(operations / 19)
    assert budget.gpu_hours == pytest.approx(operations / 100 / 3600)
    assert budget.days == pytest.approx(budget.gpu_hours / 2 / 24)
    assert budget.step == pytest.approx(2 * operations / 19 / 100)
    assert budget.activations == 2 * (7 + 6 * 3)
    assert budget.memory == 4 * 30 + 16 * 20 + budget.activations
    # Of a ring of two each sends its 80 bytes of gradients once.
    assert budget.reduced == 80
    assert budget.reduce_share == pytest.approx(80 / 1000 / budget.step)
    assert budget.reads == pytest.approx((15 * 16 + 4 * 25) / (operations / 200))
    assert (budget.image_bytes, budget.record_bytes) == (5 * 11 + 4 * 20, 5 * 9)
    assert budget.checkpoint == 99


def test_part_of_a_pass():
    budget = training_budget(
        Recipe('half', STAGE, (Source('a', 8, 0.5, 11, prompts=1.0),)), MACHINE
    )
    assert (budget.seen, budget.steps, budget.image_bytes) == (4, 1, 88)
    assert budget.operations == 50 + 10


def test_a_single_gpu_sends_nothing():
    machine = Machine(gpus=1, peak=400, utilisation=0.5, network=1000)
    assert training_budget(Recipe('one', STAGE, (Source('a', 1, 1, 1),)), machine).reduced == 0


def test_a_job_by_hand():
    budget = job_budget(Job('label', images=40, image_bytes=3, operations=25, written=7), MACHINE)
    assert budget.rate == 4
    assert budget.gpu_hours == pytest.approx(10 / 3600)
    assert budget.days == pytest.approx(5 / 86400)
    assert (budget.reads, budget.writes) == (4 * 2 * 3, 4 * 2 * 7)
    assert (budget.image_bytes, budget.written_bytes) == (120, 280)
