"""Builds the packages ``ovsam`` and ``ovsam_onnx`` from ``projects``.

A wheel also carries configs, tools, small checkpoints and the model index in ``ovsam/.mim``, as
mmdet's does, so that an installed package finds them; an editable install reads
them from the checkout (``ovsam/utils/paths.py`` looks in both places).
"""

import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = {
    'configs': '**/*',
    'tools': '**/*',
    'checkpoints/mini': '**/*',
    'checkpoints/photo': '**/*',
    '.': 'model-index.yml',
}


def requirements(name):
    """The requirements of ``requirements/<name>.txt`` without their comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    stripped = (line.split('#')[0].strip() for line in lines)
    return [line for line in stripped if line]


def version():
    """The version, read without importing the package."""
    scope = {}
    exec((ROOT / 'projects/ovsam/version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


class BuildWithConfigs(build_py):
    """Copies what stands beside the package into the build, never into the source tree."""

    def run(self):
        """Builds the modules, then adds the carried files unless the install is editable."""
        super().run()
        for source, target in self._carried():
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, target)

    def get_outputs(self, include_bytecode=1):
        """The files of the build, with the carried ones."""
        return super().get_outputs(include_bytecode) + [target for _, target in self._carried()]

    def _carried(self):
        if getattr(self, 'editable_mode', False):
            return []
        return [
            (str(file), os.path.join(self.build_lib, 'ovsam', '.mim', file.relative_to(ROOT)))
            for folder, pattern in CARRIED.items()
            for file in sorted((ROOT / folder).glob(pattern))
            if file.is_file() and '__pycache__' not in file.parts
        ]


# Not photo.txt: pip would install sentence-transformers, too, which breaks mmpretrain.
EXTRAS = {
    name: requirements(name)
    for name in (
        'tests',
        'demo',
        'mini',
        'serve',
        'ray',
        'optional',
        'benchmark',
        'onnx',
    )
}
EXTRAS['app'] = EXTRAS['label-studio'] = EXTRAS['serve']  # one server for all of them

readme = ROOT / 'README.md'
setup(
    name='ovsam',
    version=version(),
    description='Open-Vocabulary SAM for mmdet: segment and name objects from prompts',
    long_description=readme.read_text(encoding='utf-8') if readme.exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.10',
    packages=find_packages('projects', include=['ovsam', 'ovsam.*', 'ovsam_onnx']),
    py_modules=['ovsam_cli'],
    package_dir={'': 'projects'},
    entry_points={'console_scripts': ['ovsam = ovsam_cli:main']},
    package_data={'ovsam': ['**/*']},
    exclude_package_data={'': ['*.pyc', '__pycache__/*']},
    install_requires=requirements('runtime'),
    extras_require={**EXTRAS, 'all': sorted({line for part in EXTRAS.values() for line in part})},
    cmdclass={'build_py': BuildWithConfigs},
)
