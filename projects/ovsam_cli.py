"""The command ``ovsam``: finds the subcommand and calls it.

It stands outside the package, because importing that takes seconds and ``ovsam --help`` should not.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType

# Each is a module of ovsam.commands.
COMMANDS = {
    'predict': 'segment and name what you point at, or everything in pictures',
    'follow': 'follow objects through a video or a folder of frames',
    'annotate': 'label any number of pictures, by any number of processes',
    'app': 'the annotation page',
    'serve': 'a server for X-AnyLabeling, Label Studio and programs',
    'download': 'fetch published weights and convert them',
    'convert': 'turn published weights into those of this project, and back',
    'export': 'write a model as ONNX graphs, which run without torch',
    'vocabulary': 'look at vocabularies, write one to a file, embed one',
    'benchmark': 'what a model costs: operations, memory, time',
}

# What runs without torch, by --onnx.
RUN_EXPORTS = ('app', 'serve')
WITHOUT_TORCH = (
    'pip install . in the folder of this project. Without it, ovsam app and ovsam serve run '
    'exports: --onnx DIR'
)


def version() -> str:
    """The package's, read without importing it."""
    spec = find_spec('ovsam')
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError('the package ovsam is not installed: pip install . in its folder')
    folder = Path(spec.origin).parent
    return runpy.run_path(str(folder / 'version.py'))['__version__']


def without_torch() -> None:
    """Make the package and its rooms plain folders, for commands that run exports.

    Their ``__init__`` files register models, datasets and metrics, which takes torch and mmdet.
    Modules can be imported all the same, by their own names, and need what they import themselves.
    """
    spec = find_spec('ovsam')
    if 'ovsam' in sys.modules or spec is None or spec.origin is None:
        return  # a program that has it all already
    root = Path(spec.origin).parent
    for file in sorted(root.rglob('__init__.py')):
        name = '.'.join(file.parent.relative_to(root.parent).parts)
        folder = ModuleSpec(name, None, is_package=True)
        folder.submodule_search_locations = [str(file.parent)]
        sys.modules[name] = module_from_spec(folder)


def usage() -> str:
    """A line for each subcommand."""
    width = max(map(len, COMMANDS))
    return '\n'.join(
        [
            'usage: ovsam COMMAND ...',
            '',
            *(f'  {name:{width}}  {about}' for name, about in COMMANDS.items()),
            '',
            'ovsam COMMAND --help says what a command takes; ovsam --version prints the version.',
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    name, *rest = [*(sys.argv[1:] if argv is None else argv)] or ['--help']
    if name in ('-h', '--help'):
        print(usage())
        return 0
    if name == '--version':
        print(f'ovsam {version()}')
        return 0
    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.0)[0]
        print(
            f"ovsam: there is no command '{name}'. Did you mean '{nearest}'? "
            'ovsam --help lists them all.',
            file=sys.stderr,
        )
        return 2
    has_torch = find_spec('torch') is not None
    if name in RUN_EXPORTS:
        if not has_torch or any(flag.split('=')[0] == '--onnx' for flag in rest):
            without_torch()
    elif not has_torch:
        print(f'ovsam {name}: torch is not installed: {WITHOUT_TORCH}', file=sys.stderr)
        return 2
    return _command(name).main(rest)


def _command(name: str) -> ModuleType:
    """The command's module; what its imports leave, a million objects, is no garbage to look at."""
    if 'ovsam' in sys.modules:
        return importlib.import_module(f'ovsam.commands.{name}')
    gc.disable()
    try:
        return importlib.import_module(f'ovsam.commands.{name}')
    finally:
        gc.freeze()
        gc.enable()


if __name__ == '__main__':
    sys.exit(main())
