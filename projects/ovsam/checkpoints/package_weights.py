"""Weights that an installed package carries, by the address that a config has."""

from __future__ import annotations

from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from ..utils.package_files import SCHEME, package_file
from .safe_loading import load_from_local


@CheckpointLoader.register_scheme(prefixes=SCHEME, force=True)
def load_from_package(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
    """Loads weights as any other checkpoint, see :mod:`.safe_loading`.

    Args:
        filename: As :func:`~ovsam.utils.package_files.package_file` takes it, which raises.
        map_location: As for ``torch.load``.
    """
    return load_from_local(str(package_file(filename)), map_location)
