"""The tables of weights in the documentation, made from the model index.

python -m ovsam.checkpoints.table docs/weights.md            # writes them between their marks
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..utils.command_line import exit_status, parser_of
from ..utils.marked_section import insert_section
from ..utils.tables import compact_table
from .fetch import DOWNLOADS
from .model_index import FOLDER, ModelIndex, PublishedFile, read_model_index

SECTION = 'weights of model-index.yml'


def tables(index: ModelIndex) -> str:
    """Models, then files, as Markdown."""
    models = [
        [f'`{model.name}`', f'`{model.config}`', _code(model.made_from)]
        for model in index.models.values()
    ]
    head = ['name', f'file in `{FOLDER}/{DOWNLOADS}`', 'bytes', 'SHA-256', 'licence']
    head += [f'becomes, in `{FOLDER}`', 'parts']
    return '\n\n'.join(
        [
            compact_table(['name', 'config', 'made from'], models),
            compact_table(head, map(_row, index.files.values())),
        ]
    )


def _row(file: PublishedFile) -> list[str]:
    return [
        f'`{file.name}`',
        ' or '.join(f'[{source.file}]({source.url})' for source in file.sources),
        'unknown' if file.size is None else f'{file.size:,}',
        'unknown' if file.sha256 is None else f'`{file.sha256}`',
        file.licence,
        f'`{file.converted}`',
        _code(file.parts),
    ]


def _code(names: Sequence[str]) -> str:
    return ', '.join(f'`{name}`' for name in names)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('document', type=Path)
    document = parser.parse_args(argv).document
    section = f'\n{tables(read_model_index())}\n\n'
    return exit_status('table', insert_section, document, section, SECTION)


if __name__ == '__main__':
    sys.exit(main())
