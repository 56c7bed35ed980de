"""Loads checkpoints without running code that they may carry.

mmengine's own checkpoints hold more than tensors: the message hub's
``HistoryBuffer`` objects and numpy arrays. ``torch.load(weights_only=True)``
refuses those unless they are listed. This module lists exactly what mmengine
writes, and makes mmengine load with that check in every supported torch.
"""

import codecs
import errno
import functools
import os
import pickle
import re
import types
import zipfile
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..utils.package_files import SCHEME, package_file
from ..utils.paths import fetched_path, resource_root, weights_folder
from .download import alone, download
from .torchscript import is_torchscript, read_torchscript_tensors

_HISTORY_STATISTICS = ('min', 'max', 'current', 'mean')
# numpy 1 and numpy 2 write different names for the same functions.
_NUMPY_MODULES = ('numpy.core.multiarray', 'numpy._core.multiarray')


def _history_buffer_attribute(owner: Any, name: str) -> Callable:
    """The only ``getattr`` that a checkpoint may call: a HistoryBuffer's statistics."""
    if owner is HistoryBuffer and name in _HISTORY_STATISTICS:
        return vars(HistoryBuffer)[name]
    raise pickle.UnpicklingError(
        f'the file asks for attribute {name!r} of {owner!r}; '
        f'only {", ".join(_HISTORY_STATISTICS)} of HistoryBuffer are allowed'
    )


def _written_as(function: Callable, full_name: str) -> Callable:
    """``function`` under the name that a pickle knows it by."""

    @functools.wraps(function)
    def renamed(*args):
        return function(*args)

    renamed.__module__, _, name = full_name.rpartition('.')
    renamed.__name__ = renamed.__qualname__ = name
    return renamed


@functools.lru_cache(maxsize=1)
def _allowed_globals() -> 'tuple[Any, ...]':
    """What mmengine's checkpoints hold beside tensors and plain containers."""
    array_functions: tuple[Any, ...] = (np.empty(0).__reduce__()[0], np.float64(0).__reduce__()[0])
    # Object arrays are left out: nothing that mmengine writes needs them.
    codes = '?' + np.typecodes['AllInteger'] + np.typecodes['AllFloat'] + 'SU'
    return (
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        *{type(np.dtype(code)) for code in codes},
        *(
            _written_as(function, f'{module}.{function.__name__}')
            for function in array_functions
            for module in _NUMPY_MODULES
        ),
        _written_as(_history_buffer_attribute, 'builtins.getattr'),
    )


class _RestrictedUnpickler(pickle.Unpickler):
    """Finds nothing but torch's own safe globals and those listed here."""

    def find_class(self, module: str, name: str) -> Any:
        """The listed global ``module.name``; anything else is refused."""
        from torch._weights_only_unpickler import _get_allowed_globals

        # Protocol 2 writes Python 2's name for the builtins.
        full_name = f'{module.replace("__builtin__", "builtins")}.{name}'
        # It also writes the bytes of numpy arrays as encoded text.
        allowed = {**_get_allowed_globals(), '_codecs.encode': codecs.encode}
        allowed.update({f'{g.__module__}.{g.__qualname__}': g for g in _allowed_globals()})
        if full_name not in allowed:
            raise pickle.UnpicklingError(f'Unsupported global: {full_name}')
        return allowed[full_name]


def _read(path: str, map_location: Any) -> Any:
    """Whatever a file of one of the formats holds that weights are published in."""
    if path.endswith('.safetensors'):
        return load_file(path)
    if is_torchscript(path):
        return read_torchscript_tensors(path)
    return _torch_load(path, map_location)


def _without_code(content: Any) -> Any:
    """The content without mmdet 2's config, which mmengine would run as Python on resuming."""
    meta = content.get('meta') if isinstance(content, dict) else None
    if isinstance(meta, dict):
        meta.pop('config', None)
    return content


def _torch_load(path: str, map_location: Any) -> Any:
    if hasattr(torch.serialization, 'add_safe_globals'):
        return torch.load(path, map_location=map_location, weights_only=True)
    # Before torch 2.4 weights_only had a fixed list; the same check, done by our unpickler.
    restricted = types.SimpleNamespace(
        Unpickler=_RestrictedUnpickler,
        load=lambda file, **kwargs: _RestrictedUnpickler(file, **kwargs).load(),
    )
    return torch.load(path, map_location=map_location, pickle_module=restricted)


def load_from_local(filename: str, map_location: Any = 'cpu') -> 'dict[str, Any]':
    """Loads a checkpoint file, refusing anything that could run code.

    Besides torch's own files it reads ``*.safetensors`` and the tensors of TorchScript archives,
    both onto the CPU.

    Args:
        filename: Path of the file, or what :func:`~ovsam.utils.package_files.package_file` takes,
            whose errors are its; ``~`` is expanded. A relative path counts from the working
            directory, then from where the project keeps its ``checkpoints/``;
            ``checkpoints/NAME`` also where it keeps fetched weights.
        map_location: Where tensors go, as for ``torch.load``.

    Returns:
        What the file holds, normally a dict with ``state_dict``; without the config that mmdet 2
        wrote into it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is truncated, is no checkpoint, or holds objects
            other than tensors, plain containers and mmengine's own records.
    """
    path = _find(filename)
    try:
        return _without_code(_read(path, map_location))
    except (SafetensorError, zipfile.BadZipFile) as error:
        raise ValueError(_explain(path, error)) from error
    except (pickle.UnpicklingError, EOFError, RuntimeError, OSError) as error:
        if isinstance(error, RuntimeError) and 'PytorchStreamReader' not in str(error):
            raise
        # Looking for the end of a cut archive, torch may seek to before its beginning.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ValueError(_explain(path, error)) from error


def _find(filename: str) -> str:
    if filename.startswith(SCHEME):
        return str(package_file(filename))
    path = os.path.expanduser(filename)
    if os.path.isfile(path):
        return path
    carried = resource_root() / path
    if carried.is_file():
        return str(carried)
    fetched = fetched_path(path)
    if fetched:
        return str(fetched)
    places = dict.fromkeys((os.getcwd(), str(resource_root())))
    if weights_folder().parent != resource_root():
        places[str(weights_folder())] = None
    raise FileNotFoundError(
        f"Checkpoint '{filename}' does not exist (looked from {' and '.join(places)}). "
        f'{_how_to_get(filename)}'
    )


def _how_to_get(filename: str) -> str:
    # The models, which these modules need, are imported after this one.
    from .model_index import read_model_index

    published = read_model_index().converted_to(filename)
    if published is None:
        return 'Check the path given as load_from, in init_cfg or on the command line.'
    return f'To get it: ovsam download {published.name}'


def _explain(path: str, error: Exception) -> str:
    """Says what is wrong with a file that torch would not load, and what to do."""
    # torch's message has advice (to switch the check off) around its actual reason.
    surroundings = r'(?s)^.*WeightsUnpickler error:|\n.*Check the documentation.*$'
    reason = re.sub(surroundings, '', str(error))
    reason = ' '.join(reason.split()) or type(error).__name__
    refused = isinstance(error, pickle.UnpicklingError) and (
        zipfile.is_zipfile(path) or 'global' in reason.lower()
    )
    if refused:
        advice = (
            'it holds pickled objects beside weights, and unpickling them could run any code. '
            'If you trust the file, save its state_dict alone with torch.save where it was made.'
        )
    else:
        advice = (
            f'it is truncated or not a checkpoint ({os.path.getsize(path):,} bytes). '
            'Download or copy it again and compare its size.'
        )
    return f"Cannot load checkpoint '{path}': {advice} Reason: {reason}"


def _load_url(
    url: str, model_dir: 'str | None' = None, map_location: Any = None, **_: Any
) -> 'dict[str, Any]':
    """Downloads a checkpoint once into torch's hub folder, and loads it safely."""
    folder = Path(model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints'))
    path = folder / os.path.basename(urlparse(url).path)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with alone(folder / f'.{path.name}.lock'):
                download(url, path)
        except ConnectionError as error:
            raise ConnectionError(
                f"Cannot download checkpoint '{url}': {error}. Check the network, or download "
                f"it by other means to '{path}', where it is looked for first."
            ) from error
    return load_from_local(str(path), map_location)


def enable_safe_loading() -> None:
    """Lists what mmengine's checkpoints hold, and makes mmengine load with the check on."""
    import mmengine.runner.checkpoint as mmengine_checkpoint

    if hasattr(torch.serialization, 'add_safe_globals'):
        torch.serialization.add_safe_globals(list(_allowed_globals()))
    mmengine_checkpoint.CheckpointLoader.register_scheme('', load_from_local, force=True)
    # mmengine's loaders for http(s), torchvision and model-zoo names call this one function.
    mmengine_checkpoint.load_url = _load_url
