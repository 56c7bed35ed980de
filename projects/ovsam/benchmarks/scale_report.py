"""Budgets as tables to read, and as a record for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .recipes import Labelling
from .scale import Job, JobBudget, Machine, Recipe, TrainingBudget, job_budget, training_budget
from .unit_costs import StageCost, UnitCosts


class Plan(NamedTuple):
    """Trainings and jobs on one machine.

    Attributes:
        title: The heading.
        machine: What they run on.
        trainings: With what each takes.
        jobs: With what each takes.
    """

    title: str
    machine: Machine
    trainings: list[tuple[Recipe, TrainingBudget]]
    jobs: list[tuple[Job, JobBudget]]


def make_plan(title: str, machine: Machine, recipes: Iterable[Recipe], jobs: Iterable[Job]) -> Plan:
    """What recipes and jobs take on a machine."""
    return Plan(
        title,
        machine,
        [(recipe, training_budget(recipe, machine)) for recipe in recipes],
        [(job, job_budget(job, machine)) for job in jobs],
    )


def scale_section(
    command: str, units: UnitCosts, labelling: Labelling, plans: Sequence[Plan]
) -> str:
    """Markdown for :func:`~ovsam.utils.marked_section.insert_section`.

    Args:
        command: What prints it.
        units: What was counted.
        labelling: How images are labelled.
        plans: One after another.
    """
    parts = [
        f'`{command}` prints these figures.',
        '### Counted on random weights',
        _units_table(units),
        '### Assumed',
        _assumptions(labelling, plans),
    ]
    for plan in plans:
        parts += [f'### {plan.title}', _time_table(plan)]
        if plan.trainings:
            parts.append(_memory_table(plan))
        parts.append(_storage_table(plan))
    return '\n\n'.join(parts) + '\n'


def scale_record(
    command: str, units: UnitCosts, labelling: Labelling, plans: Sequence[Plan]
) -> dict:
    """The same, with every figure whole, of dicts and lists; arguments as above."""
    return dict(
        command=command,
        units={
            key: value._asdict() if isinstance(value, StageCost) else value
            for key, value in units._asdict().items()
        },
        labelling=vars(labelling),
        plans=[
            dict(
                title=plan.title,
                machine=vars(plan.machine),
                trainings=[
                    dict(
                        name=recipe.name,
                        batch=recipe.batch,
                        sources=[source._asdict() for source in recipe.sources],
                        **budget._asdict(),
                    )
                    for recipe, budget in plan.trainings
                ],
                jobs=[{**job._asdict(), **budget._asdict()} for job, budget in plan.jobs],
            )
            for plan in plans
        ],
    )


def _units_table(units: UnitCosts) -> str:
    live, stored, again, second = units.live, units.stored, units.checkpointed, units.clip2sam
    rows = [
        ("SAM's image encoder, an image", _giga(units.teacher)),
        ('SAM2CLIP, a training image on stored features', _giga(stored.image)),
        ('the same with activation checkpointing', _giga(again.image)),
        ('SAM2CLIP, a training image with the live teacher', _giga(live.image)),
        ('CLIP2SAM, a training image', _giga(second.image)),
        ('CLIP2SAM, each prompt on it', _giga(second.prompt)),
        ('OVSAM, encoding an image', _giga(units.encode)),
        ('OVSAM, a mask', _giga(units.decode)),
        ('OVSAM, naming a mask', _giga(units.name)),
        ('kept for the backward pass, SAM2CLIP, an image', _bytes(stored.saved)),
        ('the same with activation checkpointing', _bytes(again.saved)),
        ('kept for the backward pass, CLIP2SAM, an image', _bytes(second.saved)),
        ('each prompt on it', _bytes(second.saved_prompt)),
        (
            'parameters, SAM2CLIP: all, without the teacher, learned',
            ', '.join(
                _mega(number) for number in (live.parameters, stored.parameters, stored.learned)
            ),
        ),
        (
            'parameters, CLIP2SAM: all, learned',
            ', '.join(_mega(number) for number in (second.parameters, second.learned)),
        ),
        (
            'checkpoint to resume from, SAM2CLIP, CLIP2SAM',
            f'{_bytes(stored.checkpoint)}, {_bytes(second.checkpoint)}',
        ),
        ('record of stored features, an image', _bytes(units.feature)),
    ]
    return _table(('what', 'figure'), rows)


def _assumptions(labelling: Labelling, plans: Sequence[Plan]) -> str:
    machine, side = plans[0].machine, labelling.points_per_side
    prompts = max(
        (recipe.most_prompts for plan in plans for recipe, _ in plan.trainings), default=0
    )
    return (
        f'A GPU of {machine.peak / 1e12:g} TFLOPS (a multiplication and its addition are two), '
        f'of which {machine.utilisation:.0%} are reached; {machine.network / 1e9:g} GB/s '
        'between GPUs. '
        f'Labelling: {side} x {side} points, {labelling.masks} masks an image, '
        f'{labelling.annotation_bytes:.0f} bytes a mask. Images: '
        '[recipes.py](../projects/ovsam/benchmarks/recipes.py) has their numbers and sizes with '
        f'sources. Memory: {prompts} prompts an image in CLIP2SAM.'
    )


def _time_table(plan: Plan) -> str:
    rows = [
        (
            recipe.name,
            f'{budget.seen:,}',
            f'{budget.steps:,}',
            _giga(budget.operations),
            f'{plan.machine.gpus * recipe.batch / budget.step:,.0f}',
            f'{budget.gpu_hours:,.1f}',
            f'{budget.days:,.2f}',
        )
        for recipe, budget in plan.trainings
    ]
    rows += [
        (
            job.name,
            f'{job.images:,}',
            '',
            _giga(job.operations),
            f'{plan.machine.gpus * budget.rate:,.0f}',
            f'{budget.gpu_hours:,.1f}',
            f'{budget.days:,.2f}',
        )
        for job, budget in plan.jobs
    ]
    return _table(
        (
            'time',
            'images seen',
            'steps',
            'an image',
            'images/s',
            'GPU-hours',
            f'days on {plan.machine.gpus} GPUs',
        ),
        rows,
    )


def _memory_table(plan: Plan) -> str:
    return _table(
        (
            'memory and gradients',
            'memory a GPU',
            'of it activations',
            'seconds a step',
            'sent a step',
            'share of the step',
        ),
        [
            (
                recipe.name,
                _bytes(budget.memory),
                _bytes(budget.activations),
                f'{budget.step:.3f}',
                _bytes(budget.reduced),
                f'{budget.reduce_share:.1%}',
            )
            for recipe, budget in plan.trainings
        ],
    )


def _storage_table(plan: Plan) -> str:
    rows = [
        (
            recipe.name,
            _bytes(budget.image_bytes),
            _bytes(budget.record_bytes),
            _bytes(budget.checkpoint),
            f'{_bytes(budget.reads)}/s',
            '',
        )
        for recipe, budget in plan.trainings
    ]
    rows += [
        (
            job.name,
            _bytes(budget.image_bytes),
            _bytes(budget.written_bytes),
            '',
            f'{_bytes(budget.reads)}/s',
            f'{_bytes(budget.writes)}/s',
        )
        for job, budget in plan.jobs
    ]
    return _table(('storage', 'images', 'records', 'a checkpoint', 'read', 'written'), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _giga(operations: float) -> str:
    figure = operations / 1e9
    return f'{figure:,.0f} GFLOPs' if figure >= 100 else f'{figure:.3g} GFLOPs'


def _mega(number: int) -> str:
    return f'{number / 1e6:,.1f}M'


def _bytes(number: float) -> str:
    """With three digits, or 0."""
    for unit, size in (('PB', 1e15), ('TB', 1e12), ('GB', 1e9), ('MB', 1e6), ('kB', 1e3)):
        if number >= size:
            places = 3 - len(str(int(number / size)))
            return f'{number / size:.{max(0, places)}f} {unit}'
    return f'{number:.0f} B' if number else '0'
