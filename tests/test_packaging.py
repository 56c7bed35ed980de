"""What is installed is explained, pinned, and complete."""

import re
import runpy
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FILES = ['runtime', 'tests', 'demo', 'mini', 'app', 'label-studio', 'headless', 'bootstrap']


def lines(name):
    text = (ROOT / 'requirements' / f'{name}.txt').read_text()
    return [line for line in text.splitlines() if line and not line.startswith('#')]


@pytest.mark.parametrize('name', [*FILES, 'optional'])
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


def test_setup_reads_the_requirements_and_finds_every_package(monkeypatch):
    declared = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **kwargs: declared.update(kwargs))
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    assert len(declared['install_requires']) == len(lines('runtime'))
    assert not any('#' in line for line in declared['install_requires'])
    folders = {
        '.'.join(file.parent.relative_to(ROOT / 'projects').parts)
        for file in (ROOT / 'projects' / 'ovsam').rglob('*.py')
    }
    assert folders == set(declared['packages'])
