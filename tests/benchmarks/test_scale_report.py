import json

import pytest

from ovsam.benchmarks.recipes import Labelling, large_jobs, large_recipes
from ovsam.benchmarks.scale import Machine
from ovsam.benchmarks.scale_report import _bytes, _giga, make_plan, scale_record, scale_section

from .test_recipes import UNITS


@pytest.mark.parametrize(
    ('number', 'text'),
    [
        (0, '0'),
        (999, '999 B'),
        (1_052_744, '1.05 MB'),
        (117_752_000_000, '118 GB'),
        (99.96e12, '100.0 TB'),
        (3e15, '3.00 PB'),
    ],
)
def test_bytes(number, text):
    assert _bytes(number) == text


@pytest.mark.parametrize(
    ('number', 'text'),
    [(0, '0 GFLOPs'), (755e6, '0.755 GFLOPs'), (4.6e9, '4.6 GFLOPs'), (5069.1e9, '5,069 GFLOPs')],
)
def test_operations(number, text):
    assert _giga(number) == text


def test_a_plan_of_nothing():
    section = scale_section('command', UNITS, Labelling(), [make_plan('Empty', Machine(), [], [])])
    assert section.startswith('`command` prints these figures.\n\n### Counted')
    assert '### Empty' in section and 'memory and gradients' not in section


def test_rows_are_as_wide_as_their_heads():
    plan = make_plan(
        'Large', Machine(), large_recipes(UNITS, 1000, 2), large_jobs(UNITS, 1000, Labelling())
    )
    section = scale_section('command', UNITS, Labelling(), [plan])
    for table in section.split('\n\n'):
        lines = table.splitlines()
        if lines[0].startswith('|'):
            assert len({line.count('|') for line in lines}) == 1 and len(lines) > 2
    record = json.loads(json.dumps(scale_record('command', UNITS, Labelling(), [plan])))
    assert record['units']['stored']['learned'] == 2
    assert [job['name'] for job in record['plans'][0]['jobs']] == [job.name for job, _ in plan.jobs]
