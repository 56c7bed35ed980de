"""The Slurm scripts under a real Slurm on this machine: train, test, requeue, dump."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.utils.paths import config_path, resource_root
from tests.processes import free_port
from tests.tiny_training import assert_same
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
LACKING = [name for name in ('slurmctld', 'slurmd', 'munged') if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        bool(LACKING), reason=f'{", ".join(LACKING)} not installed: apt-get install slurm-wlm munge'
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason='a cluster of tests is started by root'),
    pytest.mark.skipif(torch.cuda.is_available(), reason='the machine has a GPU'),
]


@pytest.fixture(scope='module')
def cluster(tmp_path_factory):
    """The environment of a cluster's clients."""
    folder = tmp_path_factory.mktemp('slurm')
    port = free_port()
    script = str(ROOT / 'tests/slurm/cluster.sh')
    subprocess.run(
        [script, 'start', str(folder)],
        check=True,
        env=dict(os.environ, SLURM_TEST_PORT=str(port - port % 2)),
    )
    yield dict(
        os.environ,
        SLURM_CONF=f'{folder}/slurm.conf',
        PYTHON=sys.executable,
        MASTER_ADDR='127.0.0.1',
        OMP_NUM_THREADS='1',
    )
    subprocess.run([script, 'stop', str(folder)], check=True)


@pytest.fixture
def call(cluster):
    """Runs a command with the cluster's clients in the repository's root; what it printed."""

    def call(*command, **environment):
        found = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            text=True,
            env={**cluster, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
        )
        assert found.returncode == 0, found.stdout[-3000:]
        return found.stdout

    return call


@pytest.fixture
def tiny(tiny_training, tmp_path):
    """The tiny training as a file."""
    tiny_training.merge_from_dict(
        {
            'log_level': 'INFO',
            'train_cfg.max_iters': 600,
            'train_dataloader.batch_size': 2,
            'default_hooks.checkpoint': dict(interval=50, max_keep_ckpts=2),
        }
    )
    tiny_training.dump(tmp_path / 'tiny.py')
    return tmp_path / 'tiny.py'


TWO_TASKS = dict(GPUS='2', GPUS_PER_NODE='0', CPUS_PER_TASK='1')


def weights(folder, step):
    return load_from_local(str(folder / f'iter_{step}.pth'))['state_dict']


def test_two_tasks_train_as_one_with_twice_the_batch(call, tiny, tmp_path):
    steps = 'train_cfg.max_iters=5', 'default_hooks.checkpoint.interval=5'
    call(
        sys.executable,
        'tools/train.py',
        tiny,
        '--work-dir',
        tmp_path / 'one',
        '--cfg-options',
        'train_dataloader.batch_size=4',
        *steps,
    )
    call(
        'tools/slurm_train.sh',
        'cpu',
        'tiny',
        tiny,
        '--work-dir',
        tmp_path / 'two',
        '--cfg-options',
        *steps,
        **TWO_TASKS,
    )
    assert_same(weights(tmp_path / 'two', 5), weights(tmp_path / 'one', 5))


def test_two_tasks_test_as_one(call, small_world, tmp_path):
    world = dict(
        OVSAM_PICTOGRAMS=str(small_world),
        OVSAM_MINI_WEIGHTS=str(resource_root() / 'checkpoints/mini'),
    )
    arguments = [
        config_path('mini/ovsam_box.py'),
        resource_root() / 'checkpoints/mini/clip2sam_joint.pth',
        '--work-dir',
        tmp_path / 'work',
    ]
    options = ['--cfg-options', 'test_dataloader.num_workers=0', 'test_dataloader.batch_size=1']
    call(
        sys.executable,
        'tools/test.py',
        *arguments,
        '--out',
        tmp_path / 'one.json',
        *options,
        **world,
    )
    call(
        'tools/slurm_test.sh',
        'cpu',
        'test',
        *arguments,
        '--out',
        tmp_path / 'two.json',
        *options,
        **world,
        **TWO_TASKS,
    )
    one, two = (json.loads((tmp_path / f'{name}.json').read_text()) for name in ('one', 'two'))
    assert one == two and 0 < one['ov/IoU'] < 100


def state_of(call, job):
    return dict(
        field.split('=', 1)
        for field in call('scontrol', 'show', '--oneliner', 'job', job).split()
        if '=' in field
    )


def test_interrupted_jobs_go_on(call, tiny, tmp_path):
    """Once as if time were nearly up, once by hand or preemption; then to the same end."""
    call(
        'tools/slurm_train.sh', 'cpu', 'whole', tiny, '--work-dir', tmp_path / 'whole', **TWO_TASKS
    )
    log, last = tmp_path / 'job.log', tmp_path / 'parts/last_checkpoint'
    job = call(
        'sbatch',
        '--parsable',
        '-n',
        '2',
        '-o',
        log,
        'tools/slurm_batch.sh',
        tiny,
        '--work-dir',
        tmp_path / 'parts',
    ).strip()
    saved = ''
    for number, interrupt in enumerate(
        [('scancel', '--batch', '--signal=USR1'), ('scontrol', 'requeue')]
    ):
        wait_until(lambda saved=saved: last.exists() and last.read_text() != saved)
        call(*interrupt, job)
        wait_until(lambda number=number: state_of(call, job)['Restarts'] == str(number + 1))
        wait_until(lambda: state_of(call, job)['JobState'] == 'PENDING')
        saved = last.read_text()
        # Slurm lets two minutes pass before it starts a job again.
        call('scontrol', 'update', f'JobId={job}', 'StartTime=now')
    wait_until(lambda: state_of(call, job)['JobState'] not in ('PENDING', 'RUNNING', 'COMPLETING'))
    said = log.read_text()
    assert state_of(call, job)['JobState'] == 'COMPLETED', said[-3000:]
    assert 'has little time left and is queued again' in said
    # Two processes, each of which resumed twice.
    assert said.count('resumed epoch: 0, iter: ') == 2
    assert_same(weights(tmp_path / 'parts', 600), weights(tmp_path / 'whole', 600))


def test_a_killed_task_ends_the_job(call, cluster, tiny, tmp_path):
    """The others do not wait for it."""
    work = tmp_path / 'work'
    process = subprocess.Popen(
        ['tools/slurm_train.sh', 'cpu', 'killed', str(tiny), '--work-dir', str(work)],
        cwd=ROOT,
        env={**cluster, **TWO_TASKS},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until((work / 'last_checkpoint').exists)
    job = call('squeue', '--noheader', '--format=%A').strip()
    # Not slurmstepd, which is the parent of both tasks.
    victim = next(
        pid
        for pid in call('scontrol', 'listpids', job).split()[5::5]
        if 'train.py' in Path(f'/proc/{pid}/cmdline').read_text()
    )
    os.kill(int(victim), 9)
    said, _ = process.communicate(timeout=240)
    assert process.returncode != 0 and 'Killed' in said


def test_features_are_stored_by_two_tasks(call, tiny_training, tmp_path):
    tiny_training.dump(tmp_path / 'dump.py')
    said = call(
        'srun',
        '-n',
        '2',
        sys.executable,
        'tools/dump_sam_features.py',
        tmp_path / 'dump.py',
        '--out',
        tmp_path / 'features',
        '--launcher',
        'slurm',
    )
    assert said.count('4 records made, 0 of them anew, 0 kept') == 2
    assert len(list((tmp_path / 'features').glob('*/*.safetensors'))) == 8


@pytest.mark.skipif(find_spec('ray') is None, reason='Ray is not installed: make test-ray')
def test_labelling_on_ray(call, small_world, tmp_path):
    """As one process does it."""
    pictures, names = small_world / 'val', 'cat,dog'
    arguments = [pictures, '--model', 'mini', '--vocabulary', names, '--device', 'cpu']
    world = dict(OVSAM_MINI_WEIGHTS=str(resource_root() / 'checkpoints/mini'))
    call(
        sys.executable,
        '-m',
        'ovsam_cli',
        'annotate',
        *arguments,
        '--out',
        tmp_path / 'one',
        **world,
    )
    call(
        'sbatch',
        '--wait',
        '-c',
        '2',
        '-o',
        tmp_path / 'job.log',
        'tools/slurm_ray.sh',
        *arguments,
        '--out',
        tmp_path / 'two',
        **world,
        RAY_ARGS='--object-store-memory=100000000',
    )
    one, two = (json.loads((tmp_path / name / 'coco.json').read_text()) for name in ('one', 'two'))
    assert one['annotations'] and one['annotations'] == two['annotations']
    assert one['images'] == two['images']
