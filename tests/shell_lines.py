"""The shell lines of the documentation, and the links.

Blocks of sh, bash or console are shell lines. A comment before a block, ``<!-- needs: data -->``,
says what its lines need that is not at hand in a test; lines without one can be run.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
NEEDS = {'cluster', 'data', 'download', 'gpu', 'install', 'server', 'time'}
PROGRAMS = (
    'make',
    'python',
    'ovsam',
    'pip',
    'pytest',
    'tools/',
    'torchrun',
    'srun',
    'sbatch',
    'mim',
)
SHELLS = ('sh', 'bash', 'console')

FENCE = re.compile(
    r'(?:^ *<!-- needs: (?P<needs>.*?) -->\n+)?'
    r'^(?P<indent> *)```(?P<kind>\w*)\n(?P<body>.*?)^(?P=indent)```$',
    re.MULTILINE | re.DOTALL,
)


class ShellLine(NamedTuple):
    """A command as it stands in a page."""

    place: str  # page:line
    words: list[str]  # without comments; variables before the command are among them
    needs: str | None  # what a test does not have, one of NEEDS

    def __str__(self) -> str:
        return f'{self.place}: {shlex.join(self.words)}'


def shell_lines(page: Path, text: str | None = None) -> list[ShellLine]:
    """All commands in a page's blocks, in their order."""
    text = page.read_text(encoding='utf-8') if text is None else text
    found = []
    for block in FENCE.finditer(text):
        body = block['body']
        unlabelled = not block['kind'] and body.lstrip(' $').startswith(PROGRAMS)
        if block['kind'] not in SHELLS and not unlabelled:
            continue
        first = text.count('\n', 0, block.start('body')) + 1
        found += [
            ShellLine(f'{page.name}:{first + number}', words, block['needs'])
            for number, words in commands(body)
        ]
    return found


def commands(body: str):
    """Number and words of each command in a block."""
    lines = iter(enumerate(body.splitlines()))
    for number, line in lines:
        while line.endswith('\\'):
            line = line[:-1] + next(lines)[1]
        words = shlex.split(line.strip().removeprefix('$ '), comments=True)
        if words:
            yield number, words


def python_blocks(page: Path) -> list[tuple[str, str, str | None]]:
    """Place, text and what is needed, of each block of Python in a page."""
    text = page.read_text(encoding='utf-8')
    return [
        (f'{page.name}:{text.count(chr(10), 0, block.start()) + 1}', block['body'], block['needs'])
        for block in FENCE.finditer(text)
        if block['kind'] == 'python'
    ]


def shell_spans(page: Path) -> list[ShellLine]:
    """Commands with arguments that stand in a sentence or a table, in one pair of backticks."""
    text = FENCE.sub(
        lambda block: '\n' * block.group().count('\n'), page.read_text(encoding='utf-8')
    )
    found = []
    for span in re.finditer(r'`([^`]+)`', text):
        first = span[1].split()[0] if span[1].strip() else ''
        if first.startswith(PROGRAMS) and ' ' in span[1].strip() and first != 'pip':
            place = f'{page.name}:{text.count(chr(10), 0, span.start()) + 1}'
            words = shlex.split(span[1])
            if words[0] != 'ovsam' or len(words) > 2:  # 'ovsam predict' is a name, not a call
                found.append(ShellLine(place, words, 'data'))
    return found


def links(page: Path) -> list[str]:
    """Targets of links and pictures that lie in the repository, as they are written."""
    text = re.sub(r'`[^`\n]*`', '', FENCE.sub('', page.read_text(encoding='utf-8')))
    targets = re.findall(r'\]\(([^)\s]+)\)', text)
    return [target for target in targets if not re.match(r'[a-z]+:', target)]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    found: dict[str, int] = {}
    result = set()
    for title in re.findall(r'^#+ +(.+?) *$', FENCE.sub('', text), re.MULTILINE):
        plain = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', title).lower()
        slug = re.sub(r'[^\w\- ]', '', plain).replace(' ', '-')
        repeated = found.get(slug, 0)
        found[slug] = repeated + 1
        result.add(f'{slug}-{repeated}' if repeated else slug)
    return result
