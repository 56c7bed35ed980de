"""The shape of the package, measured: ``python tests/house.py`` prints it, test_house.py holds it.

Imports are read from the code, those inside functions too. A room is a folder of the package. A
click's way is traced while a predictor answers a point: each call into another file is a move.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / 'projects' / 'ovsam'


def module_name(path: Path) -> str:
    """``ovsam.parts.mask_decoder`` of a file; a package's ``__init__`` keeps that name."""
    return '.'.join(path.relative_to(PACKAGE.parent).with_suffix('').parts)


def room_of(module: str) -> str:
    """The folder directly in the package, or the file, where there is no folder."""
    return module.split('.')[1]


def imports() -> dict[str, set[str]]:
    """Which modules of the package each module imports; packages' ``__init__`` are left out."""
    files = {module_name(path): path for path in PACKAGE.rglob('*.py')}
    found = {}
    for module, path in files.items():
        if path.name != '__init__.py':
            found[module] = {
                target
                for node in ast.walk(ast.parse(path.read_text('utf-8')))
                for target in _targets(node, module, files)
            } - {module}
    return found


def _targets(node: ast.AST, module: str, files: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in files)
    if isinstance(node, ast.ImportFrom):
        package = module.split('.')[: -node.level] if node.level else []
        base = '.'.join([*package, *filter(None, [node.module])])
        for alias in node.names:
            yield from _definition(base, alias.name, files)


def _definition(base: str, name: str, files: dict[str, Path]) -> Iterator[str]:
    """The module that ``from base import name`` reads: followed through packages' exports."""
    if f'{base}.{name}' in files:
        yield f'{base}.{name}'
    elif base in files:
        yield base
    elif f'{base}.__init__' in files:
        for node in ast.walk(ast.parse(files[f'{base}.__init__'].read_text('utf-8'))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.level
                and any(name == (alias.asname or alias.name) for alias in node.names)
            ):
                yield from _definition('.'.join(filter(None, [base, node.module])), name, files)


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of more than one that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in arrows:
        seen, todo = set(), [start]
        while todo:
            todo.extend(new := arrows.get(todo.pop(), set()) - seen)
            seen |= new
        reach[start] = seen
    groups = {
        frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in arrows if a in reach[a]
    }
    return sorted(sorted(group) for group in groups if len(group) > 1)


def room_arrows(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Which rooms each room imports from."""
    rooms = defaultdict(set)
    for module, targets in arrows.items():
        rooms[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    return dict(rooms)


def files_by_folder() -> dict[str, int]:
    """How many modules each folder holds."""
    folders = defaultdict(int)
    for path in PACKAGE.rglob('*.py'):
        folders[path.parent.relative_to(PACKAGE.parent).as_posix()] += 1
    return dict(folders)


def lines(*folders: str) -> int:
    """Lines of Python in folders of the repository."""
    return sum(
        len(path.read_text('utf-8').splitlines())
        for folder in folders
        for path in (REPOSITORY / folder).rglob('*.py')
    )


def click() -> list[str]:
    """The files that a click enters, in order; a click's first answer is not traced."""
    import numpy as np

    from ovsam.apis import OVSAMPredictor

    predictor = OVSAMPredictor('mini', vocabulary=['cat', 'dog', 'umbrella'], device='cpu')
    predictor.set_image(np.random.default_rng(0).integers(0, 255, (200, 256, 3), np.uint8))
    predictor.predict(point_coords=[[120, 80]])
    way: list[str] = []

    def enter(frame, event, _):
        path = frame.f_code.co_filename
        if event == 'call' and path.startswith(f'{PACKAGE}/'):
            file = path[len(f'{PACKAGE}/') :]
            if way[-1:] != [file]:
                way.append(file)

    sys.setprofile(enter)
    try:
        predictor.predict(point_coords=[[120, 80]])
    finally:
        sys.setprofile(None)
    return way


def main() -> None:
    """Print everything."""
    arrows, folders, way = imports(), files_by_folder(), click()
    largest = max(folders, key=folders.__getitem__)
    print(f'modules in the largest folder: {folders[largest]} ({largest})')
    print(f'lines of Python in package and tools: {lines("projects", "tools")}')
    print(f'circles of files: {circles(arrows) or 0}')
    print(f'circles of rooms: {circles(room_arrows(arrows)) or 0}')
    print(
        f'a click: {len(set(way))} files, {len(way) - 1} moves, '
        f'{len(way) - len(set(way))} back into a file that it had left'
    )
    if '--way' in sys.argv:
        print('\n'.join(way))


if __name__ == '__main__':
    main()
