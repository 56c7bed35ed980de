"""Parts of Markdown files that tools write anew."""

from __future__ import annotations

from pathlib import Path

from .files import write_whole


def section_marks(name: str) -> tuple[str, str]:
    """The lines before and after the section of this name."""
    return f'<!-- {name}: begin -->', f'<!-- {name}: end -->'


def insert_section(path: Path, section: str, name: str) -> None:
    """Put a section, lines with their ends, between the marks of its name in a Markdown file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file has not the two marks.
    """
    first, last = section_marks(name)
    before, begin, rest = path.read_text(encoding='utf-8').partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(
            f'{path} has no place for the section {name!r}: write {first} and, after '
            f'it, {last} where it shall be'
        )
    write_whole(path, f'{before}{first}\n{section}{last}{after}'.encode())
