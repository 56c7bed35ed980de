"""Tables of figures, for a terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tabulate import tabulate


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], form: str = 'plain', texts: int = 1
) -> str:
    """A table in any of tabulate's forms, figures as they were rounded.

    Args:
        head: Titles of the columns.
        rows: Cells.
        form: ``'plain'``, or ``'pipe'`` for Markdown.
        texts: How many columns, from the left, are words; the others are numbers.
    """
    aligned = ['left'] * texts + ['right'] * (len(head) - texts)
    return tabulate(rows, head, form, colalign=aligned, disable_numparse=True)


def compact_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown whose cells are as wide as their content."""
    lines = [head, *rows]
    first, *others = [f'| {" | ".join(cells)} |' for cells in lines]
    return '\n'.join([first, '|' + '---|' * len(head), *others])


def figure(value: float | None, digits: int = 1) -> str:
    """A number in so many digits after the point; empty if there is none, or NaN."""
    return '' if value is None or math.isnan(value) else f'{value:.{digits}f}'
