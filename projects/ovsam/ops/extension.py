"""Finds ``mmcv._ext`` when mmcv was installed without compiled operators.

mmdet imports ``mmcv.ops`` everywhere, and every file there loads the compiled
module ``mmcv._ext`` at import. ``mmcv-lite`` does not have it, and building it
takes many minutes and a compiler. :func:`provide_mmcv_ops` puts a finder at the
*end* of Python's import path: a compiled ``mmcv._ext`` is found first and used,
and only where there is none does the stand-in of :mod:`.stand_in` answer.
"""

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_EXTENSION = 'mmcv._ext'


class _StandInFinder(MetaPathFinder, Loader):
    """Answers for ``mmcv._ext`` alone, with the stand-in module."""

    def find_spec(self, fullname: str, path=None, target=None) -> 'ModuleSpec | None':
        """The stand-in's spec if ``fullname`` is ``mmcv._ext``, else None."""
        if fullname != _EXTENSION:
            return None
        return ModuleSpec(fullname, self, origin='torchvision kernels (ovsam.ops)')

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty stand-in module; torch is imported only now."""
        from .stand_in import StandInModule

        return StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to execute: the module's class holds the operators."""


def provide_mmcv_ops() -> None:
    """Makes ``import mmcv.ops`` work on an mmcv without compiled operators.

    Must run before the first import of mmdet or ``mmcv.ops``. A compiled
    ``mmcv._ext`` keeps precedence. Calling it again changes nothing.
    """
    if not any(isinstance(finder, _StandInFinder) for finder in sys.meta_path):
        sys.meta_path.append(_StandInFinder())


def compiled_ops_in_use() -> bool:
    """Whether ``mmcv._ext`` is mmcv's own compiled module, not the stand-in.

    Raises:
        ImportError: mmcv is missing, or its compiled module was built for
            another version of torch.
    """
    from .stand_in import StandInModule

    return not isinstance(importlib.import_module(_EXTENSION), StandInModule)
