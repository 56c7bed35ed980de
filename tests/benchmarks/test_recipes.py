import pytest

from ovsam.benchmarks.recipes import (
    LVIS,
    SA1B_IMAGES,
    Labelling,
    large_jobs,
    large_recipes,
    paper_jobs,
    paper_recipes,
)
from ovsam.benchmarks.scale import Machine, StageCost, job_budget, training_budget
from ovsam.benchmarks.unit_costs import UnitCosts

MACHINE = Machine()
STORED = StageCost(
    image=40, prompt=0, saved=9, saved_prompt=0, parameters=3, learned=2, checkpoint=5, record=7
)
UNITS = UnitCosts(
    live=STORED._replace(image=100, record=0),
    stored=STORED,
    checkpointed=STORED._replace(image=50, saved=4),
    clip2sam=STORED._replace(image=30, prompt=2, saved_prompt=1, record=0, masked=20),
    teacher=60,
    encode=10,
    decode=3,
    name=5,
    feature=7,
)


def test_stored_features_pay_from_the_second_pass():
    once, storing = large_recipes(UNITS, 1000, 2), large_jobs(UNITS, 1000, Labelling())[0]
    live, stored, _ = (training_budget(recipe, MACHINE).gpu_hours for recipe in once)
    assert live == pytest.approx(stored + job_budget(storing, MACHINE).gpu_hours)
    live, stored, *_ = (training_budget(recipe, MACHINE) for recipe in paper_recipes(UNITS, 2))
    before = job_budget(paper_jobs(UNITS)[0], MACHINE)
    assert live.gpu_hours - stored.gpu_hours == pytest.approx(24 * before.gpu_hours)
    assert stored.record_bytes == before.written_bytes == SA1B_IMAGES // 100 * 7


def test_half_of_a_mix_has_masks():
    *_, sampled, whole = paper_recipes(UNITS, 2, most_prompts=3)
    assert sum(source.seen for source in sampled.sources) == pytest.approx(2 * LVIS.seen)
    assert [source.name for source in sampled.sources] == [s.name for s in whole.sources]
    assert sampled.most_prompts == whole.most_prompts == 3
    budget = training_budget(sampled, MACHINE)
    assert budget.operations == pytest.approx(30 + (LVIS.prompts * 2 - 20) / 2)
    assert training_budget(whole, MACHINE).gpu_hours > budget.gpu_hours


def test_labelling_encodes_decodes_and_names():
    _, everything, boxes = large_jobs(UNITS, 1000, Labelling(4, 6, 11.0))
    assert everything.operations == 10 + 16 * 3 + 6 * 5
    assert boxes.operations == 10 + 6 * 3 + 6 * 5
    assert everything.written == boxes.written == 66
