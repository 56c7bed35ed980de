"""How far a reader has to go from a config to all of its content."""

import ast
from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / 'configs'
FILES = sorted(file for file in CONFIGS.rglob('*.py') if '_base_' not in file.parts)
DEPTH = 2  # two bases one after the other


def bases(file):
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '_base_':
            found = ast.literal_eval(node.value)
            return [found] if isinstance(found, str) else found
    return []


def depth(file):
    """The longest way down; a config of mmdet is one step."""
    return max(
        (1 if '::' in base else 1 + depth(file.parent / base) for base in bases(file)), default=0
    )


def test_what_is_counted(tmp_path):
    assert depth(CONFIGS / '_base_/default_runtime.py') == 0
    (tmp_path / 'base.py').write_text('number = 1\n')
    (tmp_path / 'middle.py').write_text("_base_ = ['mmdet::a.py', './base.py']\n")
    (tmp_path / 'leaf.py').write_text("_base_ = './middle.py'\n")
    assert depth(tmp_path / 'leaf.py') == 2


@pytest.mark.parametrize('folder', sorted({file.parent.name for file in FILES}))
def test_configs_are_not_deep(folder):
    deep = [file.name for file in FILES if file.parent.name == folder and depth(file) > DEPTH]
    assert not deep
