"""The launch scripts with two processes on CPUs: the same numbers, and faults that end a run."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ovsam.checkpoints.safe_loading import load_from_local
from ovsam.utils.paths import config_path, resource_root
from tests.processes import free_port
from tests.tiny_training import assert_same
from tests.waiting import LIMIT, wait_until

TOOLS = Path(__file__).parents[2] / 'tools'
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(torch.cuda.is_available(), reason='the machine has a GPU'),
]


@pytest.fixture
def start(tmp_path):
    """Starts a tool in a process group of its own, which is killed after the test."""
    started = []

    def start(*command, **environment):
        started.append(
            subprocess.Popen(
                [str(part) for part in command],
                cwd=tmp_path,
                text=True,
                start_new_session=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(
                    os.environ,
                    PYTHON=sys.executable,
                    PORT=str(free_port()),
                    OMP_NUM_THREADS='1',
                    PYTHONPATH=os.pathsep.join(
                        [str(Path(__file__).parent), os.environ.get('PYTHONPATH', '')]
                    ),
                    **environment,
                ),
            )
        )
        return started[-1]

    yield start
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


@pytest.fixture
def run(start):
    """Runs a tool; returns what it printed."""

    def run(*command, **environment):
        process = start(*command, **environment)
        output, _ = process.communicate()
        assert process.returncode == 0, output[-3000:]
        return output

    return run


def hold(cfg, sign, after, ranks):
    """Have processes of these ranks wait for a file before an image."""
    cfg.custom_imports = dict(imports=['hold_images'])
    cfg.train_dataloader.dataset.pipeline.insert(
        0, dict(type='HoldImages', sign=str(sign), after=after, ranks=ranks)
    )


@pytest.fixture
def tiny(tiny_training, tmp_path):
    """The tiny training as a file; rank 1 waits for a file ``go`` after a checkpoint."""
    tiny_training.merge_from_dict(
        {
            'log_level': 'INFO',
            'train_cfg.max_iters': 12,
            'train_dataloader.batch_size': 2,
            'default_hooks.checkpoint': dict(interval=4, max_keep_ckpts=2),
        }
    )
    hold(tiny_training, tmp_path / 'go', after=2 * 6, ranks=[1])
    tiny_training.dump(tmp_path / 'tiny.py')
    return tmp_path / 'tiny.py'


@pytest.fixture(scope='module')
def uneven_world(tmp_path_factory):
    """Seven scenes of each split."""
    from tools import make_pictograms

    out = tmp_path_factory.mktemp('uneven')
    assert (
        make_pictograms.main(
            [
                '--out',
                str(out),
                '--splits',
                'train',
                'val',
                'test',
                '--limit',
                '7',
                '--workers',
                '1',
            ]
        )
        == 0
    )
    return out


def child_of_rank(launcher, rank):
    """The process of a rank among the children of torch's launcher."""
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            parent = int((folder / 'stat').read_text().rpartition(')')[2].split()[1])
            if parent == launcher.pid and f'RANK={rank}'.encode() in (
                folder / 'environ'
            ).read_bytes().split(b'\0'):
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError(f'no rank {rank} below process {launcher.pid}')


def weights_of(path):
    return load_from_local(str(path))['state_dict']


def test_metrics_to_the_last_digit(run, uneven_world, tmp_path):
    """Of seven scenes, one of which the sampler repeats for the second process."""
    world = dict(
        OVSAM_PICTOGRAMS=str(uneven_world),
        OVSAM_MINI_WEIGHTS=str(resource_root() / 'checkpoints/mini'),
    )
    config = config_path('mini/ovsam_box.py')
    weights = resource_root() / 'checkpoints/mini/clip2sam_joint.pth'
    options = ['--cfg-options', 'test_dataloader.num_workers=0', 'test_dataloader.batch_size=1']
    run(
        sys.executable,
        TOOLS / 'test.py',
        config,
        weights,
        '--out',
        tmp_path / 'one.json',
        *options,
        **world,
    )
    run(
        TOOLS / 'dist_test.sh',
        config,
        weights,
        '2',
        '--out',
        tmp_path / 'two.json',
        *options,
        **world,
    )
    one, two = (json.loads((tmp_path / f'{name}.json').read_text()) for name in ('one', 'two'))
    assert one == two and 0 < one['ov/IoU'] < 100 and one['ov/num_b'] > 2


def test_uneven_objects(run, uneven_world, tmp_path):
    """Scenes have different numbers of objects: their losses count as in one process."""
    config = tmp_path / 'sam.py'
    config.write_text(f"""
_base_ = {str(config_path('mini/sam.py'))!r}
model = dict(image_encoder=dict(backbone=dict(norm_eval=True)),
             train_prompter=dict(_delete_=True, type='BoxPrompter'))
train_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_iters=3, val_interval=99)
optim_wrapper = dict(optimizer=dict(
    _delete_=True, type='SGD', lr=0.01, momentum=0.9, weight_decay=0.01))
default_hooks = dict(checkpoint=dict(interval=3))
load_from = None
""")
    world = dict(OVSAM_PICTOGRAMS=str(uneven_world))
    run(
        sys.executable,
        TOOLS / 'train.py',
        config,
        '--work-dir',
        tmp_path / 'one',
        '--cfg-options',
        'train_dataloader.batch_size=4',
        **world,
    )
    run(
        TOOLS / 'dist_train.sh',
        config,
        '2',
        '--work-dir',
        tmp_path / 'two',
        '--cfg-options',
        'train_dataloader.batch_size=2',
        **world,
    )
    two, one = (weights_of(tmp_path / f'{each}/iter_3.pth') for each in ('two', 'one'))
    assert_same(two, one, rtol=1e-3, atol=1e-5)


def test_a_rank_is_killed(start, run, tiny, tmp_path):
    """The run ends, with an error; resumed, it comes where it would have come."""
    go = tmp_path / 'go'
    go.touch()
    run(TOOLS / 'dist_train.sh', tiny, '2', '--work-dir', tmp_path / 'whole')
    go.unlink()
    process = start(TOOLS / 'dist_train.sh', tiny, '2', '--work-dir', tmp_path / 'parts')
    wait_until((tmp_path / 'parts/last_checkpoint').exists, process)
    os.kill(child_of_rank(process, 1), signal.SIGKILL)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode != 0 and 'SIGKILL' in output
    go.touch()
    assert not (tmp_path / 'parts/iter_12.pth').exists()
    said = run(TOOLS / 'dist_train.sh', tiny, '2', '--work-dir', tmp_path / 'parts', '--resume')
    assert 'resumed epoch: 0, iter: ' in said
    parts, whole = (weights_of(tmp_path / f'{each}/iter_12.pth') for each in ('parts', 'whole'))
    assert_same(parts, whole)


def test_a_rank_hangs(start, tiny, tmp_path):
    """After the time-out the others say so and the run ends."""
    process = start(
        TOOLS / 'dist_train.sh',
        tiny,
        '2',
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        'env_cfg.dist_cfg.timeout=20',
    )
    wait_until((tmp_path / 'work/last_checkpoint').exists, process)
    os.kill(child_of_rank(process, 1), signal.SIGSTOP)
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    assert 'LostProcessError: process 0 of 2 waited for another one' in output
    assert f'--resume goes on from the last checkpoint in {tmp_path}/work' in output


@pytest.fixture
def dump(tiny_training, tmp_path):
    """Dumps 60 pictures' features by two ranks; those given wait for a file ``go`` after 12."""
    import cv2
    import numpy as np

    for number in range(60):
        picture = np.full((24, 32, 3), number, np.uint8)
        cv2.imwrite(str(tmp_path / f'sa1b/sa_000000/sa_{number}.jpg'), picture)
    tiny_training.train_dataloader.dataset.pipeline.append(
        dict(type='LoadTeacherFeatures', folder=str(tmp_path / 'features'))
    )
    tiny_training.model.teacher = dict(type='StoredTeacher', encoder=tiny_training.model.teacher)

    def dump(ranks):
        # At first four images are read twice, to see that the pipeline gives the same again.
        hold(tiny_training, tmp_path / 'go', after=2 * 4 + 12, ranks=ranks)
        tiny_training.dump(tmp_path / 'dump.py')
        return [
            TOOLS / 'dump_sam_features.py',
            tmp_path / 'dump.py',
            '--launcher',
            'pytorch',
            '--batch-size',
            '1',
            '--workers',
            '0',
        ]

    return dump


def records(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob('*/*.safetensors')}


def test_a_rank_of_a_feature_dump_is_killed(start, run, dump, tmp_path):
    """What was stored is kept, and a second run makes the rest: each picture once."""
    launch = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--nproc_per_node',
        '2',
        '--standalone',
        *dump([0, 1]),
    ]
    process = start(*launch)
    wait_until(lambda: len(records(tmp_path / 'features')) == 24, process)
    os.kill(child_of_rank(process, 1), signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    assert process.returncode != 0
    before = records(tmp_path / 'features')
    assert len(before) == 24
    (tmp_path / 'go').touch()
    said = run(*launch)
    after = records(tmp_path / 'features')
    assert len(after) == 60 and {path: after[path] for path in before} == before
    # Two processes write, and one may begin where the other has not ended its line.
    made = [int(number) for number in re.findall(r'(\d+) records made', said)]
    assert len(made) == 2 and sum(made) == 60 - len(before)


def test_processes_of_a_feature_dump_do_not_wait_for_each_other(start, run, dump, tmp_path):
    """As on several machines: one is killed, the other makes its part to the end."""
    command = [sys.executable, *dump([1])]
    processes = [
        start(*command, RANK=str(rank), LOCAL_RANK='0', WORLD_SIZE='2') for rank in range(2)
    ]
    wait_until(lambda: len(records(tmp_path / 'features')) == 30 + 12, processes[1])
    os.kill(processes[1].pid, signal.SIGKILL)
    said, _ = processes[0].communicate(timeout=LIMIT)
    assert processes[0].returncode == 0 and '30 records made, 0 of them anew' in said
    (tmp_path / 'go').touch()
    said = run(*command, RANK='1', LOCAL_RANK='0', WORLD_SIZE='2')
    assert '18 records made, 0 of them anew, 12 kept' in said
