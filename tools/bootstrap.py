"""Makes the virtual environment that every ``make`` target runs in.

Needs Python alone. A finished environment is left as it is (well under a second); an outdated
one is made anew; of a failed or interrupted one nothing stays but the log beside it (.venv.log)
and, in the caches of pip and uv, the downloads; one that this script did not make is never touched.

Settings: OVSAM_PYTHON, the interpreter to use; OVSAM_VENV, where to put the environment
(default ``.venv`` beside the Makefile).
"""

# Any Python from 3.6 on must be able to read this file, so that an old one gets a clear answer.
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST, NEWEST = (3, 10), (3, 13)
NEEDED_GB = 6.0
NOTE = 'ovsam-setup'
INSTALLED = ('runtime', 'headless', 'tests', 'mini', 'demo', 'serve', 'photo', 'onnx')
# Python 3.12 and newer warn about mmdet's sources when they are compiled: here, into the log.
FIRST_IMPORT = 'import ovsam, mmdet.apis, mmdet.models, mmpretrain.models, fastapi'
NETWORK_WORDS = (
    'dns error',
    'name resolution',
    'error sending request',
    'failed to establish',
    'connection',
    'timed out',
    'unreachable',
    'certificate',
    'from versions: none',
)


class SetupError(Exception):
    """A set-up that cannot go on; the message says why and what to do."""


def check_version(version):
    """Refuses an interpreter that the pinned packages have no builds for.

    Args:
        version: ``(major, minor)`` of the interpreter.

    Raises:
        SetupError: It is too old or too new.
    """
    if not OLDEST <= tuple(version) <= NEWEST:
        raise SetupError(
            'Python {}.{} to {}.{} is needed, and this is {}.{} ({}).\nInstall one of those, or '
            'name it: OVSAM_PYTHON=/path/to/python3.11 make ...'.format(
                *(OLDEST + NEWEST + tuple(version)), sys.executable
            )
        )


def check_space(folder, free_bytes):
    """Refuses to start what the disk cannot hold.

    Args:
        folder: Where the space is needed.
        free_bytes: What is free there.

    Raises:
        SetupError: Less than ``NEEDED_GB`` is free.
    """
    free_gb = free_bytes / 1e9
    if free_gb < NEEDED_GB:
        raise SetupError(
            f'Setting up needs about {NEEDED_GB:.1f} GB of disk in {folder}, and {free_gb:.1f} GB '
            'is available.\nFree some, or put the environment elsewhere: OVSAM_VENV=/big/disk/venv '
            'UV_CACHE_DIR=/big/disk/cache make ...'
        )


def fingerprint(root, venv, version):
    """What a finished environment was made from: requirements, place and interpreter."""
    parts = sorted((root / 'requirements').glob('*.txt'))
    parts.append(root / 'tools' / 'bootstrap.py')
    digest = hashlib.sha256(repr((str(root), str(venv), tuple(version))).encode())
    for part in parts:
        digest.update(part.name.encode() + part.read_bytes())
    return digest.hexdigest()


def is_ready(venv, wanted):
    """Whether ``venv`` was finished from what ``wanted`` stands for.

    Raises:
        SetupError: Something else is in that place.
    """
    note = venv / NOTE
    if venv.exists() and not note.exists() and (not venv.is_dir() or any(venv.iterdir())):
        raise SetupError(
            f'{venv} exists and was not made by this script, so it is left alone.\n'
            'Move it away, or choose another place: OVSAM_VENV=/path/to/venv make ...'
        )
    done = note.exists() and note.read_text() == wanted
    return done and (venv / 'bin' / 'python').exists()


def explain(output):
    """What most likely went wrong, from the output of a failed command."""
    lowered = output.lower()
    if 'no space left' in lowered or 'quota exceeded' in lowered:
        return f'The disk is full: about {NEEDED_GB:.1f} GB is needed.'
    if 'ensurepip' in lowered:
        return 'This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv'
    if any(word in lowered for word in NETWORK_WORDS):
        return (
            'The package index could not be reached. Check the network; behind a proxy or mirror '
            'set HTTPS_PROXY or PIP_INDEX_URL.'
        )
    return 'A step of the set-up failed.'


def run(step, command, log):
    """Runs one step, its output into ``log``, with a sign of life every 15 seconds.

    Raises:
        SetupError: The command failed; the message holds the end of its output.
    """
    print('  ' + step, flush=True)
    start, start_size = time.time(), log.stat().st_size if log.exists() else 0
    with open(str(log), 'ab') as sink:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=str(ROOT),
        )
        try:
            while True:
                try:
                    status = process.wait(15)
                    break
                except subprocess.TimeoutExpired:
                    print(f'    ... {time.time() - start:.0f} s', flush=True)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if status:
        output = log.read_bytes()[start_size:].decode(errors='replace')
        tail = '\n'.join('    ' + line for line in output.splitlines()[-15:])
        raise SetupError(
            f'{explain(output)}\nThe last lines of {log}:\n{tail}\n'
            'Run the same command again: what was downloaded is kept, nothing half-made is.'
        )


def environment():
    """The environment of the steps: pip's mirror serves uv as well, bytecode is always kept."""
    variables = dict(os.environ)
    variables.pop('VIRTUAL_ENV', None)
    # Where it forbids bytecode, every later process would compile its imports: 15 seconds each.
    variables.pop('PYTHONDONTWRITEBYTECODE', None)
    mirror = variables.get('PIP_INDEX_URL')
    if mirror and not variables.get('UV_INDEX_URL'):
        variables.setdefault('UV_DEFAULT_INDEX', mirror)
    return variables


def make(venv, wanted):
    """Makes the environment from nothing and notes, last of all, that it is finished."""
    cache = Path(os.environ.get('UV_CACHE_DIR') or Path.home())
    for folder in (venv.parent, cache):
        existing = next(f for f in (folder, *folder.parents) if f.exists())
        check_space(folder, shutil.disk_usage(str(existing)).free)
    leftovers = list(venv.iterdir()) if venv.exists() else []
    venv.mkdir(parents=True, exist_ok=True)
    # Noted first and kept throughout: a run that ends at any point is known as ours, unfinished.
    (venv / NOTE).write_text('unfinished')
    if leftovers:
        print(f'  removing an unfinished or outdated {venv}', flush=True)
        clear(venv)
    log = Path(str(venv) + '.log')
    log.write_text('')
    try:
        install_all(venv, log)
    except (SetupError, OSError, KeyboardInterrupt):
        print(f'  removing what was half-made in {venv}', flush=True)
        clear(venv)
        (venv / NOTE).unlink()
        with contextlib.suppress(OSError):  # a mounted folder, say, stays, empty
            venv.rmdir()
        raise
    (venv / (NOTE + '.new')).write_text(wanted)
    os.replace(str(venv / (NOTE + '.new')), str(venv / NOTE))


def clear(venv):
    """Empties an environment but for the note that it is ours."""
    for entry in list(venv.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(str(entry))
        elif entry.name != NOTE:
            entry.unlink()


def install_all(venv, log):
    """Runs the steps that fill an empty environment.

    Raises:
        SetupError: One failed.
    """
    python, uv, pinned = venv / 'bin' / 'python', venv / 'bin' / 'uv', ROOT / 'requirements'
    run('virtual environment', [sys.executable, '-m', 'venv', venv], log)
    run('installer', [python, '-m', 'pip', 'install', '-r', pinned / 'bootstrap.txt'], log)
    install = [uv, 'pip', 'install', '--python', python]
    files = [part for name in INSTALLED for part in ('-r', pinned / (name + '.txt'))]
    limits = ['-c', pinned / 'constraints.txt', '--override', pinned / 'overrides.txt']
    run('packages (torch is large: half a minute to several)', install + files + limits, log)
    run('ovsam itself', install + ['--no-deps', '--no-build-isolation', '-e', ROOT], log)
    run('first import (compiles what was installed)', [python, '-c', FIRST_IMPORT], log)


def set_up(venv):
    """Makes ``venv`` unless it is there; a second process waits for the first."""
    check_version(sys.version_info[:2])
    wanted = fingerprint(ROOT, venv, sys.version_info[:2])
    if is_ready(venv, wanted):
        return
    import fcntl

    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(str(venv) + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(venv, wanted):
            start = time.time()
            print(f'Setting up {venv} (once):', flush=True)
            make(venv, wanted)
            print(f'Ready after {time.time() - start:.0f} s.', flush=True)


def better_interpreter():
    """The interpreter to go on with instead of this one, or None."""
    chosen = os.environ.pop('OVSAM_PYTHON', None)
    if chosen or OLDEST <= sys.version_info[:2] <= NEWEST:
        return chosen
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f'python3.{minor}')
        silent = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
        if found and subprocess.call([found, '-c', 'import venv'], **silent) == 0:
            return found
    return None


def continue_with(interpreter):
    """Replaces this process by the same script under ``interpreter``.

    Raises:
        SetupError: It cannot be run.
    """
    try:
        os.execvp(interpreter, [interpreter, str(Path(__file__).resolve())])
    except OSError as error:
        raise SetupError(f'OVSAM_PYTHON={interpreter} cannot be run: {error.strerror}') from error


def main():
    """Sets up; returns the exit status."""
    try:
        other = better_interpreter()
        if other:
            continue_with(other)
        set_up(Path(os.path.abspath(os.environ.get('OVSAM_VENV') or str(ROOT / '.venv'))))
    except SetupError as error:
        print('\n' + str(error), file=sys.stderr)
        return 1
    except OSError as error:
        print(f'\nSetting up failed: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            '\nInterrupted. The next run starts the set-up again, with what was downloaded.',
            file=sys.stderr,
        )
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
