"""The table of weights in the documentation, made from the model index.

python -m ovsam.checkpoints.table docs/weights.md            # writes it between its marks
python -m ovsam.checkpoints.table docs/weights.md --check    # status 1 if it is out of step
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..utils.command_line import parser_of
from ..utils.files import write_whole
from .fetch import DOWNLOADS
from .model_index import FOLDER, ModelIndex, PublishedFile, read_model_index

BEGIN = '<!-- made by python -m ovsam.checkpoints.table; the facts are in model-index.yml -->'
END = '<!-- end of the table -->'


def tables(index: ModelIndex) -> str:
    """Models, then files, as Markdown."""
    rows = ['| name | config | made from |', '|---|---|---|']
    rows += [
        f'| `{model.name}` | `{model.config}` | {_code(model.made_from)} |'
        for model in index.models.values()
    ]
    rows += [
        '',
        f'| name | file in `{FOLDER}/{DOWNLOADS}` | bytes | SHA-256 | licence | '
        f'becomes, in `{FOLDER}` | parts |',
        '|---|---|---|---|---|---|---|',
    ]
    rows += [_row(file) for file in index.files.values()]
    return '\n'.join(rows)


def _row(file: PublishedFile) -> str:
    size = 'unknown' if file.size is None else f'{file.size:,}'
    digest = 'unknown' if file.sha256 is None else f'`{file.sha256}`'
    links = ' or '.join(f'[{source.file}]({source.url})' for source in file.sources)
    return (
        f'| `{file.name}` | {links} | {size} | {digest} | {file.licence} | '
        f'`{file.converted}` | {_code(file.parts)} |'
    )


def _code(names: Sequence[str]) -> str:
    return ', '.join(f'`{name}`' for name in names)


def with_tables(text: str, index: ModelIndex) -> str:
    """A document with the tables between its marks.

    Raises:
        ValueError: If it has no marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no place for the table: expected the lines '{BEGIN}' and '{END}'")
    return f'{before}{BEGIN}\n\n{tables(index)}\n\n{END}{after}'


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument('document', type=Path)
    parser.add_argument('--check', action='store_true', help='change nothing')
    args = parser.parse_args(argv)
    try:
        text = args.document.read_text(encoding='utf-8')
        new = with_tables(text, read_model_index())
    except (OSError, ValueError) as error:
        print(f'{args.document}: {error}', file=sys.stderr)
        return 1
    if args.check:
        return int(new != text)
    write_whole(args.document, new.encode())
    return 0


if __name__ == '__main__':
    sys.exit(main())
