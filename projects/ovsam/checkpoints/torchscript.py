"""Reads the tensors of a TorchScript archive and nothing else of it.

OpenAI publishes CLIP as such archives. They hold a program beside the weights, so
``torch.load(weights_only=True)`` refuses them and ``torch.jit.load`` would set the program up.
Here the archive's pickle is read by an unpickler that knows tensors and plain containers; objects
of the program become empty records of their attributes, and none of its code is looked at.
"""

from __future__ import annotations

import collections
import math
import pickle
import zipfile
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

# Only TorchScript archives have this record; torch tells them apart by it, too.
_SIGN = 'constants.pkl'
_DTYPES = {
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'FloatStorage': torch.float32,
    'DoubleStorage': torch.float64,
    'ByteStorage': torch.uint8,
    'CharStorage': torch.int8,
    'ShortStorage': torch.int16,
    'IntStorage': torch.int32,
    'LongStorage': torch.int64,
    'BoolStorage': torch.bool,
}


class _Record:
    """An object of the archived program: a module, with its attributes."""


def is_torchscript(path: str) -> bool:
    """Whether a file is an archive that ``torch.jit.save`` wrote."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split('/')[1:] == [_SIGN] for name in archive.namelist())


def read_torchscript_tensors(path: str) -> dict[str, Tensor]:
    """All tensors of the archived module by their attribute path, such as ``visual.conv1.weight``.

    Raises:
        pickle.UnpicklingError: If the archive holds anything but modules, tensors and plain values.
        zipfile.BadZipFile: If it is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        sign = next(name for name in archive.namelist() if name.split('/')[1:] == [_SIGN])
        folder = sign[: -len(_SIGN)]
        try:
            with archive.open(f'{folder}data.pkl') as file:
                root = _TensorUnpickler(file, archive, folder).load()
        # What unpickling raises for nonsense.
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise zipfile.BadZipFile(f'its records do not fit together: {error!r}') from error
    return dict(_tensors(root))


def _tensors(value: Any, name: str = '') -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, _Record):
        for attribute, part in vars(value).items():
            yield from _tensors(part, f'{name}.{attribute}' if name else attribute)


class _TensorUnpickler(pickle.Unpickler):
    """Finds the few names that tensors and containers are pickled with."""

    def __init__(self, file, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(file)
        self._archive, self._folder = archive, folder
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for ``module.name``; anything unknown is refused."""
        if module.split('.')[0] == '__torch__':
            return _Record
        if module == 'torch' and name in _DTYPES:
            return _DTYPES[name]
        known = _GLOBALS.get(f'{module}.{name}')
        if known is None:
            raise pickle.UnpicklingError(f'Unsupported global: {module}.{name}')
        return known

    def persistent_load(self, pid: Any) -> Tensor:
        """The stored values that a tensor is a view of, as one row."""
        if not (isinstance(pid, tuple) and len(pid) == 5 and isinstance(pid[1], torch.dtype)):
            raise pickle.UnpicklingError(f'expected the stored values of a tensor, found {pid!r}')
        _, dtype, key, _, count = pid
        if key not in self._storages:
            # A copy, since torch wants memory that may be written to.
            values = bytearray(self._archive.read(f'{self._folder}data/{key}'))
            self._storages[key] = (
                torch.frombuffer(values, dtype=dtype) if values else torch.empty(0, dtype=dtype)
            )
        if len(self._storages[key]) != count:
            raise zipfile.BadZipFile(
                f'a tensor of {count} values has {len(self._storages[key])} in the archive'
            )
        return self._storages[key]


def _rebuild_tensor(storage: Tensor, offset: int, size: tuple, stride: tuple, *_: Any) -> Tensor:
    last = offset + sum((n - 1) * step for n, step in zip(size, stride))
    if math.prod(size) and not 0 <= offset <= last < len(storage):
        raise zipfile.BadZipFile(f'a tensor of shape {size} lies outside its stored values')
    return storage.as_strided(size, stride, offset)


def _value(value: Any, *_: Any) -> Any:
    return value


_GLOBALS = {
    'torch._utils._rebuild_tensor_v2': _rebuild_tensor,
    'collections.OrderedDict': collections.OrderedDict,
    **{
        f'torch.jit._pickle.{name}': _value
        for name in (
            'build_intlist',
            'build_tensorlist',
            'build_doublelist',
            'build_boollist',
            'restore_type_tag',
        )
    },
}
