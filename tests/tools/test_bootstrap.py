"""Setting up: refusals are clear, nothing half-made is used, a second run does nothing."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap

SCRIPT = Path(bootstrap.__file__)


@pytest.fixture
def commands(monkeypatch):
    """Replaces the steps; holds the names of those that ran and may be told to fail."""

    class Steps(list):
        fail_at, fault = None, KeyboardInterrupt

        def run(self, step, command, log):
            self.append(step)
            if step == self.fail_at:
                raise self.fault
            if command[1:3] == ['-m', 'venv']:
                python = command[3] / 'bin' / 'python'
                python.parent.mkdir()
                python.touch()

    steps = Steps()
    monkeypatch.setattr(bootstrap, 'run', steps.run)
    return steps


def test_nothing_there_makes_it_once(tmp_path, commands):
    venv = tmp_path / 'venv'
    bootstrap.set_up(venv)
    assert len(commands) == 5
    bootstrap.set_up(venv)
    assert len(commands) == 5


@pytest.mark.parametrize('fault', [KeyboardInterrupt, bootstrap.SetupError])
def test_of_an_unfinished_setup_the_log_stays(tmp_path, commands, fault):
    venv = tmp_path / 'venv'
    commands.fail_at, commands.fault = 'ovsam itself', fault
    with pytest.raises(fault):
        bootstrap.set_up(venv)
    assert not venv.exists() and (tmp_path / 'venv.log').exists()
    commands.fail_at = None
    commands.clear()
    bootstrap.set_up(venv)
    assert commands[0] == 'virtual environment' and len(commands) == 5


def test_killed_setup_starts_again(tmp_path, commands):
    venv = tmp_path / 'venv'
    (venv / 'bin').mkdir(parents=True)
    (venv / bootstrap.NOTE).write_text('unfinished')
    (venv / 'half-made').touch()
    bootstrap.set_up(venv)
    assert commands[0] == 'virtual environment'
    assert not (venv / 'half-made').exists()


def test_interrupted_removal_is_not_ready(tmp_path, commands, monkeypatch):
    venv = tmp_path / 'venv'
    bootstrap.set_up(venv)
    finished = (venv / bootstrap.NOTE).read_text()

    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap.shutil, 'rmtree', interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.make(venv, 'changed requirements')
    assert not bootstrap.is_ready(venv, finished)


def test_changed_requirements_are_noticed(tmp_path):
    for name, text in (('requirements/a.txt', 'x==1'), ('tools/bootstrap.py', '')):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    venv = tmp_path / 'venv'
    before = bootstrap.fingerprint(tmp_path, venv, (3, 11))
    assert before == bootstrap.fingerprint(tmp_path, venv, (3, 11))
    assert before != bootstrap.fingerprint(tmp_path, venv, (3, 12))
    assert before != bootstrap.fingerprint(tmp_path, tmp_path / 'moved', (3, 11))
    (tmp_path / 'requirements' / 'a.txt').write_text('x==2')
    assert before != bootstrap.fingerprint(tmp_path, venv, (3, 11))


def test_missing_interpreter_means_not_ready(tmp_path, commands):
    venv = tmp_path / 'venv'
    bootstrap.set_up(venv)
    (venv / 'bin' / 'python').unlink()
    assert not bootstrap.is_ready(venv, (venv / bootstrap.NOTE).read_text())


def test_foreign_environment_is_left_alone(tmp_path, commands):
    (tmp_path / 'pyvenv.cfg').touch()
    with pytest.raises(bootstrap.SetupError, match='not made by this script'):
        bootstrap.set_up(tmp_path)
    assert commands == []
    assert (tmp_path / 'pyvenv.cfg').exists()


@pytest.mark.parametrize('version', [(3, 6), (3, 9), (3, 14), (2, 7)])
def test_unsupported_python_names_both(version):
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.check_version(version)
    assert 'Python 3.10 to 3.13' in str(error.value)
    assert '{}.{}'.format(*version) in str(error.value)


@pytest.mark.parametrize('version', [(3, 10), (3, 13)])
def test_supported_python_passes(version):
    bootstrap.check_version(version)


def test_full_disk_names_needed_and_available(tmp_path):
    with pytest.raises(bootstrap.SetupError, match=r'6\.0 GB.*1\.5 GB\s+is available'):
        bootstrap.check_space(tmp_path, 1.5e9)
    bootstrap.check_space(tmp_path, 6.1e9)


@pytest.mark.parametrize(
    'output, cause',
    [
        ('', 'A step of the set-up failed'),
        ('error: failed to write: No space left on device (os error 28)', 'disk is full'),
        ('The virtual environment was not created: ensurepip is not available', 'python3-venv'),
        ('cause: client error (Connect)\ncause: dns error', 'could not be reached'),
        ('Temporary failure in name resolution', 'could not be reached'),
        ('ERROR: Could not find a version (from versions: none)', 'could not be reached'),
        ('No solution found when resolving dependencies', 'A step of the set-up failed'),
    ],
)
def test_causes(output, cause):
    assert cause in bootstrap.explain(output)


def test_failed_step_shows_the_end_of_its_own_output(tmp_path):
    log = tmp_path / 'setup.log'
    log.write_text('earlier step\n')
    code = 'print("first\\n" * 30 + "dns error at last"); raise SystemExit(3)'
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.run('step', [sys.executable, '-c', code], log)
    message = str(error.value)
    assert 'could not be reached' in message and str(log) in message
    assert 'dns error at last' in message and 'earlier step' not in message
    assert message.count('first') == 14


def test_mirror_of_pip_serves_uv(monkeypatch):
    monkeypatch.setenv('PIP_INDEX_URL', 'https://mirror.example/simple')
    monkeypatch.delenv('UV_INDEX_URL', raising=False)
    monkeypatch.delenv('UV_DEFAULT_INDEX', raising=False)
    assert bootstrap.environment()['UV_DEFAULT_INDEX'] == 'https://mirror.example/simple'


def test_bytecode_is_kept_even_where_it_is_forbidden(monkeypatch):
    monkeypatch.setenv('PYTHONDONTWRITEBYTECODE', '1')
    assert 'PYTHONDONTWRITEBYTECODE' not in bootstrap.environment()


def test_named_interpreter_is_used(tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\necho chosen "$@"\n')
    python.chmod(0o755)
    result = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, 'OVSAM_PYTHON': str(python)},
        capture_output=True,
        text=True,
    )
    assert result.stdout == f'chosen {SCRIPT}\n'


def test_missing_named_interpreter_is_an_error_without_traceback():
    result = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, 'OVSAM_PYTHON': '/nowhere/python'},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert '/nowhere/python' in result.stderr and 'Traceback' not in result.stderr


@pytest.mark.parametrize('ours', [True, False])
def test_make_clean_removes_what_this_script_made(tmp_path, ours):
    for folder in ('projects', 'tools', 'configs', 'tests', 'env'):
        (tmp_path / folder).mkdir()
    if ours:
        (tmp_path / 'env' / bootstrap.NOTE).touch()
    makefile = SCRIPT.parents[1] / 'Makefile'
    command = ['make', '-f', makefile, 'clean', f'OVSAM_VENV={tmp_path}/env']
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert (tmp_path / 'env').exists() is not ours
    assert ('env stays: make venv did not make it' in said) is not ours


@pytest.mark.parametrize(('venv', 'used'), [('', '.venv'), ('/big disk/env', '/big disk/env')])
def test_make_uses_the_environment_that_this_script_makes(venv, used):
    said = subprocess.run(
        ['make', '--no-print-directory', '-n', 'app'],
        cwd=SCRIPT.parents[1],
        env={**os.environ, 'OVSAM_VENV': venv, 'MAKEFLAGS': ''},  # not those of make test
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    python, *words = shlex.split(said.splitlines()[-1])
    assert python == f'{used}/bin/python' and words[:3] == ['-m', 'ovsam_cli', 'app']
