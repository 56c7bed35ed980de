import gc
import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import ovsam
import ovsam_cli

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('argv', [[], ['--help'], ['-h']])
def test_alone_it_lists_all_commands(argv, capsys):
    assert ovsam_cli.main(argv) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith('  ')]
    assert listed == [*ovsam_cli.COMMANDS]


def test_every_module_of_commands_is_listed():
    modules = {path.stem for path in (ROOT / 'projects/ovsam/commands').glob('*.py')}
    assert modules - {'__init__'} == {*ovsam_cli.COMMANDS}


def test_version(capsys):
    assert ovsam_cli.main(['--version']) == 0
    assert capsys.readouterr().out == f'ovsam {ovsam.__version__}\n'


@pytest.mark.parametrize(('given', 'nearest'), [('predcit', 'predict'), ('downlod', 'download')])
def test_an_unknown_command_is_one_line(given, nearest, capsys):
    assert ovsam_cli.main([given]) == 2
    error = capsys.readouterr().err
    assert f"no command '{given}'" in error and error.count('\n') == 1
    assert f"Did you mean '{nearest}'?" in error


@pytest.mark.parametrize('name', ovsam_cli.COMMANDS)
def test_each_has_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        ovsam_cli.main([name, '--help'])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f'usage: ovsam {name} ') and f'ovsam {name}' in said[20:]


def test_arguments_and_status_go_through(tmp_path, capsys):
    assert ovsam_cli.main(['predict', str(tmp_path / 'none.jpg'), '--point', '1,1']) == 2
    assert 'none.jpg' in capsys.readouterr().err


@pytest.mark.parametrize('argv', [['predict', 'a.jpg'], ['app', '--port', '0']])
def test_without_torch_it_says_what_runs(argv, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch', None)  # importing it fails
    assert ovsam_cli.main(argv) == 2
    error = capsys.readouterr().err
    assert 'torch is not installed: pip install . ' in error and '--onnx DIR' in error


def test_help_does_not_import_the_package():
    code = "import sys, ovsam_cli; ovsam_cli.main([]); sys.exit('ovsam' in sys.modules)"
    environment = dict(PYTHONPATH=str(ROOT / 'projects'))
    subprocess.run([sys.executable, '-c', code], check=True, env=environment)


def test_no_garbage_is_looked_for_during_imports(monkeypatch):
    enabled = []
    command = SimpleNamespace(main=lambda rest: enabled.append(gc.isenabled()) or 0)
    with monkeypatch.context() as patch:
        patch.delitem(sys.modules, 'ovsam')
        patch.setattr(gc, 'freeze', lambda: None)
        patch.setattr(
            importlib, 'import_module', lambda name: enabled.append(gc.isenabled()) or command
        )
        assert ovsam_cli.main(['predict']) == 0
    assert enabled == [False, True]
