"""Bulk labelling as users start it: what is written, and what may go wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
from pycocotools.coco import COCO

from ovsam.apis import EverythingPrompts, OVSAMInferencer
from ovsam.commands import annotate
from ovsam.utils.paths import config_path, resource_root

TOOL = ('-m', 'ovsam_cli', 'annotate')
NAMES = 'cat,dog,umbrella,key'


@pytest.fixture
def photos(small_world, tmp_path):
    """Four scenes, two of them in a folder of the folder."""
    folder = tmp_path / 'photos'
    for split in ('val', 'test'):
        shutil.copytree(
            small_world / split, folder / ('' if split == 'val' else split), dirs_exist_ok=True
        )
    return folder


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The shipped model, asking at fewer points."""
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(resource_root() / 'checkpoints/mini'))
    path = tmp_path / 'few_points.py'
    path.write_text(
        f'_base_ = [{str(config_path("mini/ovsam_box_all_names.py"))!r}]\n'
        'model = dict(everything=dict(points_per_side=5))\n'
    )
    return path


@pytest.fixture
def arguments(photos, config, tmp_path):
    return [
        str(photos),
        '--out',
        str(tmp_path / 'out'),
        '--model',
        str(config),
        '--vocabulary',
        NAMES,
        '--device',
        'cpu',
    ]


def read(out):
    return json.loads((out / 'coco.json').read_text())


def test_no_images(tmp_path, random_mini, capsys):
    (tmp_path / 'none').mkdir()
    assert annotate.main([str(tmp_path / 'none'), '--out', str(tmp_path / 'out')]) == 2
    assert f'no images in {tmp_path}/none' in capsys.readouterr().err
    assert not (tmp_path / 'out' / 'job.json').exists()


def test_everything_in_a_folder(arguments, photos, config, tmp_path, capsys):
    """The masks and names that the inferencer gives, and the whole vocabulary."""
    out = tmp_path / 'out'
    assert annotate.main(arguments) == 0
    said = capsys.readouterr()
    coco = COCO(str(out / 'coco.json'))
    assert [each['name'] for each in coco.cats.values()] == NAMES.split(',')
    assert f'{len(coco.anns)} masks in 4 images' in said.out and len(coco.anns) > 4
    assert 'know pictograms only' in said.err and '4/4' in said.err
    inferencer = OVSAMInferencer(
        str(config),
        vocabulary=NAMES,
        device='cpu',
        show_progress=False,
        prompts=EverythingPrompts(),
    )
    for image in coco.imgs.values():
        (row,) = inferencer(str(photos / image['file_name']), top_k=1)['predictions']
        found = coco.imgToAnns[image['id']]
        assert [each['segmentation'] for each in found] == row['masks']
        assert [each['category_id'] - 1 for each in found] == row['labels']
        assert [each['score'] for each in found] == pytest.approx(row['scores'])


def test_a_threshold(arguments, tmp_path):
    assert annotate.main([*arguments, '--threshold', '0.5', '--top-k', '2']) == 0
    coco = read(tmp_path / 'out')
    assert len(coco['images']) == 4 and coco['annotations']
    assert all(
        each['score'] >= 0.5 and len(each['alternatives']) == 2 for each in coco['annotations']
    )


def test_a_corrupt_image_and_one_that_is_gone(arguments, photos, tmp_path, capsys):
    names = sorted(path.name for path in photos.glob('*.jpg'))
    (photos / names[0]).write_bytes((photos / names[0]).read_bytes()[:500])
    listed = tmp_path / 'list.txt'
    listed.write_text(f'photos/{names[0]}\nphotos/{names[1]}\nphotos/lost.jpg\nphotos/{names[1]}\n')
    assert annotate.main([str(listed), *arguments[1:]]) == 1
    said = capsys.readouterr()
    assert f'left out {photos}/{names[0]}: Cannot read picture' in said.err
    assert f"left out {photos}/lost.jpg: Image '{photos}/lost.jpg' does not exist" in said.err
    assert '2 images were left out, 0 of them because' in said.out
    assert [each['file_name'] for each in read(tmp_path / 'out')['images']] == [
        f'photos/{names[1]}'
    ]


def test_boxes_of_a_detector(photos, random_mini, tiny_detector, tmp_path, capsys):
    config, weights = map(str, tiny_detector)
    out = tmp_path / 'out'
    arguments = [
        str(photos),
        '--out',
        str(out),
        '--detector',
        config,
        '--vocabulary',
        'cat,dog',
        '--device',
        'cpu',
    ]
    assert annotate.main(arguments) == 2
    assert 'the detector has no weights' in capsys.readouterr().err
    arguments += ['--detector-weights', weights, '--detector-threshold', '0']
    assert annotate.main(arguments) == 0
    assert 0 < len(read(out)['annotations']) <= 4 * 7
    assert annotate.main([*arguments[:-1], '0.5']) == 2
    assert 'was begun with other settings (prompts was' in capsys.readouterr().err


def test_other_images_or_settings_than_before(arguments, photos, tmp_path, capsys):
    assert annotate.main(arguments) == 0
    written = (tmp_path / 'out' / 'coco.json').read_bytes()
    assert annotate.main([*arguments, '--top-k', '2']) == 2
    assert 'other settings (top_k was 1, is 2)' in capsys.readouterr().err
    next(photos.glob('*.jpg')).unlink()
    assert annotate.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count('annotate: ') == 1 and 'have changed since the job began with 4' in said
    assert annotate.main([*arguments, '--keep-list']) == 0
    assert (tmp_path / 'out' / 'coco.json').read_bytes() == written


@pytest.mark.parametrize(
    'more, message',
    [
        (['--threshold', '2'], r'threshold must be in [0, 1]; got 2'),
        (['--top-k', '0'], 'top_k must be positive'),
        (['--detector-weights', 'x.pth'], 'is of no detector'),
        (['--detector', 'd.py', '--detector-threshold', '2'], 'must be in [0, 1]'),
        (['--workers', '2'], '--workers are of Ray'),
        pytest.param(
            ['--ray'],
            'pip install ".[ray]"',
            marks=pytest.mark.skipif(find_spec('ray') is not None, reason='Ray is installed'),
        ),
        (['--vocabulary', 'lvs'], 'there are lvis'),
        (['--device', 'abacus'], 'no device'),
    ],
)
def test_bad_input_is_one_line(photos, random_mini, tmp_path, capsys, more, message):
    assert annotate.main([str(photos), '--out', str(tmp_path / 'out'), *more]) == 2
    said = capsys.readouterr().err
    assert said.count('annotate: ') == 1 and message in said
    assert not (tmp_path / 'out' / 'parts').exists()


def test_sigterm_leaves_the_rest_to_the_next_run(arguments, tmp_path, monkeypatch):
    segment, calls = EverythingPrompts.segment, []

    def stopped(self, predictor, pixels, file):
        calls.append(file.name)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return segment(self, predictor, pixels, file)

    monkeypatch.setattr(EverythingPrompts, 'segment', stopped)
    with pytest.raises(SystemExit) as ended:
        annotate.main(arguments)
    assert ended.value.code == 128 + signal.SIGTERM
    assert not (tmp_path / 'out' / 'coco.json').exists()
    assert annotate.main(arguments) == 0
    assert len(calls) == 5 and len(read(tmp_path / 'out')['images']) == 4


@pytest.fixture
def many(photos):
    """The scenes, several times, so that there is time to do something meanwhile."""
    for path in sorted(photos.rglob('*.jpg')):
        for copy in range(4):
            shutil.copy(path, photos / f'{copy}_{path.parent.name}_{path.name}')
    return photos


def start(arguments, **environment) -> subprocess.Popen:
    """A process of Python, of one thread, so that all of them compute the same."""
    return subprocess.Popen(
        [sys.executable, *arguments], env=dict(os.environ, OMP_NUM_THREADS='1', **environment)
    )


def first_at_work(out, seconds=200.0) -> None:
    """Wait until an image is done."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any('file_name' in path.read_text() for path in (out / 'parts').glob('*.jsonl')):
            return
        time.sleep(0.01)
    raise AssertionError('no image was done')


@pytest.mark.slow
def test_the_next_run_after_a_kill(many, arguments, tmp_path, capsys):
    """Does what is left, to the same result; meanwhile nobody else works in the folder."""
    alone, out = tmp_path / 'alone', tmp_path / 'out'
    assert start([*TOOL, *arguments, '--out', str(alone)]).wait(240) == 0
    started = start([*TOOL, *arguments])
    try:
        first_at_work(out)
        os.kill(started.pid, signal.SIGSTOP)
        assert annotate.main(arguments) == 2
        assert f'another process works in {out}' in capsys.readouterr().err
    finally:
        started.kill()
    assert started.wait(60) == -signal.SIGKILL
    assert start([*TOOL, *arguments]).wait(240) == 0
    assert len(list((out / 'parts').glob('*.jsonl'))) == 2
    expected, found = read(alone), read(out)
    assert len(found['images']) == 20
    for key in ('images', 'annotations', 'categories'):
        assert found[key] == expected[key]
