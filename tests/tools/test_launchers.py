"""The shell scripts for several processes: what they start, and what they say if called wrongly."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ovsam.utils.paths import config_path
from tests.processes import free_port

TOOLS = Path(__file__).parents[2] / 'tools'
SCRIPTS = {'dist_train': 2, 'dist_test': 3, 'slurm_train': 3, 'slurm_test': 4}


@pytest.fixture
def call(tmp_path):
    """Runs a script where python and srun only print their arguments, one a line."""
    for name in ('python', 'srun'):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name}\nprintf "%s\\n" "$@"\n')
        (tmp_path / name).chmod(0o755)

    def run(name, *args, cwd=TOOLS.parent, **environment):
        return subprocess.run(
            ['bash', str(TOOLS / f'{name}.sh'), *args],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={'PATH': f'{tmp_path}:/usr/bin:/bin', **environment},
        )

    return run


@pytest.mark.parametrize('name', SCRIPTS)
def test_usage(call, name):
    for given in range(SCRIPTS[name]):
        found = call(name, *['1'] * given)
        assert (found.returncode, found.stdout) == (2, '')
        assert found.stderr.startswith(f'usage: tools/{name}.sh ')
    helped = call(name, '--help')
    assert (helped.returncode, helped.stderr) == (0, '')
    assert helped.stdout.startswith(f'usage: tools/{name}.sh ')
    if name.endswith('test'):
        assert "CHECKPOINT may be '': " in helped.stdout


@pytest.mark.parametrize('gpus', ['0', 'two', '-1', ''])
def test_number_of_processes(call, gpus):
    found = call('dist_train', 'config.py', gpus)
    assert found.returncode == 2 and f"GPUS must be a number, got '{gpus}'" in found.stderr


def test_dist_train(call):
    lines = call('dist_train', 'a config.py', '4', '--amp', PORT='1234').stdout.splitlines()
    assert lines[:3] == ['python', '-m', 'torch.distributed.run']
    assert {'--nproc_per_node=4', '--nnodes=1', '--master_port=1234'} <= set(lines)
    assert lines[-5:] == [str(TOOLS / 'train.py'), 'a config.py', '--launcher', 'pytorch', '--amp']


def test_dist_test(call):
    lines = call('dist_test', 'c.py', 'w.pth', '2', '--out', 'o.json').stdout.splitlines()
    assert lines[-7:] == [
        str(TOOLS / 'test.py'),
        'c.py',
        'w.pth',
        '--launcher',
        'pytorch',
        '--out',
        'o.json',
    ]


def test_slurm_train(call):
    lines = call(
        'slurm_train', 'gpu', 'job', 'c.py', '--resume', GPUS='16', SRUN_ARGS='--time=9 --exclusive'
    ).stdout.splitlines()
    assert lines[:4] == ['srun', '--partition=gpu', '--job-name=job', '--ntasks=16']
    assert {
        '--gres=gpu:8',
        '--ntasks-per-node=8',
        '--cpus-per-task=5',
        '--time=9',
        '--exclusive',
    } <= set(lines)
    assert lines[-7:] == [
        'python',
        '-u',
        str(TOOLS / 'train.py'),
        'c.py',
        '--launcher',
        'slurm',
        '--resume',
    ]


def test_slurm_test_on_nodes_without_gpus(call):
    lines = call(
        'slurm_test', 'cpu', 'job', 'c.py', 'w.pth', GPUS='2', GPUS_PER_NODE='0'
    ).stdout.splitlines()
    assert '--ntasks=2' in lines and not any('gres' in line for line in lines)
    assert lines[-6:] == ['-u', str(TOOLS / 'test.py'), 'c.py', 'w.pth', '--launcher', 'slurm']


def test_slurm_batch(call):
    lines = call(
        'slurm_batch', 'c.py', '--cfg-options', 'a=b', SLURM_JOB_ID='7', SRUN_ARGS='--mpi=none -l'
    ).stdout.splitlines()
    assert lines == [
        'srun',
        '--kill-on-bad-exit=1',
        '--mpi=none',
        '-l',
        'python',
        '-u',
        'tools/train.py',
        'c.py',
        '--cfg-options',
        'a=b',
        '--launcher',
        'slurm',
        '--resume',
    ]


@pytest.mark.parametrize('name', ['slurm_batch', 'slurm_ray'])
def test_slurm_jobs_called_wrongly(call, tmp_path, name):
    found = call(name)
    assert found.returncode == 2 and found.stderr.startswith('usage: sbatch ')
    assert call(name, '--help').stdout == found.stderr
    found = call(name, 'c.py')
    assert found.returncode == 2 and found.stderr == f'{name}: submit it with sbatch\n'
    found = call(name, 'c.py', SLURM_JOB_ID='7', cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr == (
        f'{name}: submit it from the root of the repository, not from {tmp_path}\n'
    )


@pytest.fixture
def ray_job(tmp_path):
    """Settings of a job on two nodes where srun waits until it is ended, as ray start does.

    Python waits for as many of them as there are nodes, at most ten seconds.
    """
    started = f'$(ls {tmp_path} | grep -c srun[.])'
    wait = f'for _ in $(seq 200); do [ {started} -ge "$4" ] && break; sleep 0.05; done'
    for name, content in (
        ('scontrol', 'printf "localhost\\nsecond\\n"'),
        ('srun', 'echo srun "$@"; touch "$0.$$"; exec sleep 100'),
        ('python', f'echo python "$@"; case "$1" in -c) {wait} ;; -u) exit 3 ;; esac'),
    ):
        (tmp_path / name).write_text(f'#!/bin/sh\n{content}\n')
        (tmp_path / name).chmod(0o755)
    return dict(
        SLURM_JOB_ID='7',
        SLURM_JOB_NODELIST='n[1-2]',
        SLURM_JOB_NUM_NODES='2',
        SLURM_CPUS_PER_TASK='4',
        SRUN_ARGS='-l --mpi=none',
        RAY_ARGS='--num-gpus=0',
    )


def test_slurm_ray(call, ray_job):
    """The head first, the other nodes when it answers, then the tool, whose status counts."""
    with socket.create_server(('127.0.0.1', 0)) as head:
        port = head.getsockname()[1]
        found = call('slurm_ray', 'my photos', '--out', 'o', **ray_job, RAY_PORT=str(port))
    common = (
        '--kill-on-bad-exit=0 -l --mpi=none python -m ray.scripts.scripts start --block '
        '--num-cpus=4 --num-gpus=0'
    )
    lines = [line for line in found.stdout.splitlines() if line.startswith(('srun', 'python'))]
    assert {line for line in lines if line.startswith('srun')} == {
        f'srun --overlap --nodes=1 --ntasks=1 --nodelist=localhost {common} --head '
        f'--node-ip-address=127.0.0.1 --port={port}',
        f'srun --overlap --nodes=1 --ntasks=1 --exclude=localhost {common} '
        f'--address=127.0.0.1:{port}',
    }
    assert lines[-1] == f'python -u -m ovsam_cli annotate my photos --out o --ray 127.0.0.1:{port}'
    assert found.returncode == 3


def test_slurm_ray_whose_head_does_not_start(call, ray_job, tmp_path):
    (tmp_path / 'srun').write_text('#!/bin/sh\nexit 1\n')
    with socket.socket() as closed:  # nobody listens
        closed.bind(('127.0.0.1', 0))
        port = str(closed.getsockname()[1])
        found = call('slurm_ray', 'photos', '--out', 'o', **ray_job, RAY_PORT=port)
    assert found.returncode == 1
    assert found.stderr == 'slurm_ray: Ray did not start on localhost\n'


def test_slurm_ray_on_a_host_without_an_address(call, ray_job, tmp_path):
    (tmp_path / 'getent').write_text('#!/bin/sh\nexit 2\n')
    (tmp_path / 'getent').chmod(0o755)
    found = call('slurm_ray', 'photos', '--out', 'o', **ray_job)
    assert found.returncode == 1
    assert found.stderr == 'slurm_ray: no IPv4 address of localhost is known\n'


def test_slurm_batch_with_little_time_left(tmp_path):
    """The job is queued again; the training goes on until Slurm ends it."""
    (tmp_path / 'srun').write_text(
        f'#!/bin/sh\necho training\nuntil [ -e {tmp_path}/queued ]; do sleep 0.05; done\nexit 3\n'
    )
    (tmp_path / 'scontrol').write_text(f'#!/bin/sh\necho scontrol "$@"\ntouch {tmp_path}/queued\n')
    for name in ('srun', 'scontrol'):
        (tmp_path / name).chmod(0o755)
    process = subprocess.Popen(
        ['bash', str(TOOLS / 'slurm_batch.sh'), 'c.py'],
        stdout=subprocess.PIPE,
        text=True,
        cwd=TOOLS.parent,
        env=dict(PATH=f'{tmp_path}:/usr/bin:/bin', SLURM_JOB_ID='7'),
    )
    assert process.stdout.readline() == 'training\n'
    process.send_signal(signal.SIGUSR1)
    said, _ = process.communicate(timeout=200)
    assert said.splitlines() == [
        'slurm_batch: job 7 has little time left and is queued again',
        'scontrol requeue 7',
    ]
    assert process.returncode == 3


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason='the machine has a GPU')
def test_two_processes_train_on_a_machine_without_a_gpu(small_world, random_weights, tmp_path):
    """With frozen parts, to a checkpoint and an evaluation."""
    environment = dict(
        os.environ,
        PYTHON=sys.executable,
        PORT=str(free_port()),
        OMP_NUM_THREADS='1',
        OVSAM_PICTOGRAMS=str(small_world),
        OVSAM_MINI_WEIGHTS=str(random_weights),
    )
    found = subprocess.run(
        [
            'bash',
            str(TOOLS / 'dist_train.sh'),
            str(config_path('mini/clip2sam_joint.py')),
            '2',
            '--work-dir',
            str(tmp_path),
            '--cfg-options',
            'train_cfg.max_iters=2',
            'train_cfg.val_interval=2',
            'train_dataloader.batch_size=1',
            'train_dataloader.num_workers=0',
            'train_dataloader.persistent_workers=False',
            'val_dataloader.num_workers=0',
            'default_hooks.checkpoint.interval=2',
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr[-2000:]
    assert (tmp_path / 'iter_2.pth').is_file()
    assert 'ov/IoU' in found.stdout + found.stderr
