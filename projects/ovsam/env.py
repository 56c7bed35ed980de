"""Prints what a bug report needs: ``python -m ovsam.env``."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Optional

import torch

from .ops import compiled_ops_in_use
from .utils.paths import resource_root, weights_folder
from .version import __version__

_PACKAGES = (
    ('torch', 'torchvision', 'mmengine', 'mmdet', 'mmpretrain', 'open-clip-torch', 'timm')
    + ('numpy', 'opencv-python', 'opencv-python-headless', 'pycocotools', 'lvis')
    + ('setuptools',)
)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return 'not installed'


def _mmcv() -> str:
    kind = ', '.join(
        f'{package} {_version(package)}'
        for package in ('mmcv', 'mmcv-lite')
        if _version(package) != 'not installed'
    )
    try:
        kernels = 'compiled' if compiled_ops_in_use() else "torchvision's kernels (ovsam.ops)"
    except ImportError as error:
        kernels = f'broken: {error}'
    return f'{kind or "not installed"}; operators: {kernels}'


def _accelerator() -> str:
    if not torch.cuda.is_available():
        return f'none in use (torch built for CUDA {torch.version.cuda})'
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return f'{", ".join(names)} (CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()})'


def _memory() -> str:
    if not hasattr(os, 'sysconf') or 'SC_PHYS_PAGES' not in os.sysconf_names:
        return 'unknown'
    return f'{os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9:.1f} GB'


def _checkpoints() -> str:
    folders = dict.fromkeys((resource_root() / 'checkpoints', weights_folder()))
    return '; '.join(map(_weights_in, folders))


def _weights_in(folder: Path) -> str:
    files = sorted(folder.rglob('*.pth'))
    listed = ', '.join(
        f'{file.relative_to(folder).as_posix()} ({file.stat().st_size / 1e6:.1f} MB)'
        for file in files
    )
    return f'{listed or "none"} in {folder}'


def collect_env() -> 'dict[str, str]':
    """The versions and the machine, one line each, in the order to print."""
    report = {
        'ovsam': f'{__version__} in {os.path.dirname(os.path.abspath(__file__))}',
        'python': f'{platform.python_version()} ({sys.executable})',
        'platform': platform.platform(),
    }
    report.update({package: _version(package) for package in _PACKAGES})
    report['mmcv'] = _mmcv()
    report['GPU'] = _accelerator()
    report['CPU'] = (
        f'{platform.machine()}, {os.cpu_count()} cores, '
        f'{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads'
    )
    report['memory'] = _memory()
    report['checkpoints'] = _checkpoints()
    return report


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Prints the report.

    Args:
        argv: Command-line arguments; those of the process by default.
    """
    argparse.ArgumentParser(prog='python -m ovsam.env', description=__doc__).parse_args(argv)
    report = collect_env()
    width = max(map(len, report))
    for name, value in report.items():
        print(f'{name:<{width}}  {value}')


if __name__ == '__main__':
    main()
