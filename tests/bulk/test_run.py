"""Jobs of one process, and whatever may happen to them: nothing is lost, or silent."""

import errno
import io
import multiprocessing
import os
import shutil
import signal
from pathlib import Path

import pytest

from ovsam.bulk import Job, Summary, run_job
from ovsam.bulk.run import in_this_process, merge

NO_ROOM = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def run(bench, annotate):
    """Runs a job, which it begins."""

    def call(annotate=annotate) -> Summary:
        return run_job(bench.begin(), in_this_process(annotate))

    return call


@pytest.fixture
def alone(run, bench):
    """What is written if nothing happens."""
    run()
    content = bench.coco()
    shutil.rmtree(bench.out)
    return content


def interrupted(annotate, error, at='2.png'):
    def fails(file):
        if file.name == at:
            raise error
        return annotate(file)

    return fails


def test_nothing_is_done(bench):
    job = bench.begin()
    with pytest.raises(RuntimeError, match='10 of 10 images have no record: run the same command'):
        merge(job)
    with pytest.raises(RuntimeError, match='10 of 10 images have no record'):
        run_job(job, lambda job, todo: ())
    assert not (bench.out / 'coco.json').exists()


def test_odd_names_lead_back_and_clutter_is_no_picture(run, bench):
    names = [b'caf\xe9.png', b'line\nbreak.png']
    for name in (*names, b'._0.png'):
        (bench.photos / os.fsdecode(name)).write_text('cat')
    assert run().images == 10
    written = [os.fsencode(image['file_name']) for image in bench.coco()['images']]
    assert set(names) < set(written) and b'._0.png' not in written


def test_what_is_written(run, bench, capsys):
    assert run() == Summary(images=8, annotations=14, left_out=2, set_aside=0)
    coco = bench.coco()
    assert coco['categories'] == [
        {'id': 1, 'name': 'cat'},
        {'id': 2, 'name': 'dog'},
        {'id': 3, 'name': 'fox'},
    ]
    assert [image['id'] for image in coco['images']] == [1, 2, 3, 5, 6, 7, 9, 10]
    assert coco['images'][3] == {'id': 5, 'file_name': '4.png', 'height': 8, 'width': 9}
    assert [each['id'] for each in coco['annotations']] == list(range(1, 15))
    first = coco['annotations'][0]
    assert (first['image_id'], first['category_id'], first['score']) == (1, 1, 0.5)
    left_out = bench.left_out()
    assert left_out.keys() == {'3.png', '7.png'}
    assert left_out['7.png'] == {'id': 8, 'file_name': '7.png', 'error': 'it is broken'}
    said = capsys.readouterr().err
    assert f'left out {bench.photos}/3.png: it is broken' in said and '10/10' in said


def test_what_is_done_is_not_done_again(run, bench):
    first = run()
    before = (bench.out / 'coco.json').stat().st_mtime_ns
    assert run(pytest.fail) == first
    assert (bench.out / 'coco.json').stat().st_mtime_ns == before


def die_at_the_second(out):
    def annotate(file):
        if file.name == '1.png':
            os.kill(os.getpid(), signal.SIGKILL)
        return {'height': 8, 'width': 9, 'annotations': []}

    run_job(Job(out), in_this_process(annotate))


def test_an_image_that_kills_is_tried_alone_and_set_aside(run, bench, annotate):
    bench.begin()
    for _ in range(2):
        # It has imported all that this process has.
        process = multiprocessing.get_context('fork').Process(
            target=die_at_the_second, args=(bench.out,)
        )
        process.start()
        process.join()
        assert process.exitcode == -9
    calls = []
    summary = run(lambda file: calls.append(file.name) or annotate(file))
    # The second process did all others first.
    assert calls == [] and summary == Summary(images=9, annotations=0, left_out=1, set_aside=1)
    record = bench.left_out()['1.png']
    assert (
        record['set_aside']
        and '2 processes ended at it: its process was killed' in (record['error'])
    )


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_not_the_fault_of_the_image(run, bench, annotate, alone, error):
    for _ in range(4):
        with pytest.raises(error):
            run(interrupted(annotate, error))
    assert run().set_aside == 0
    assert bench.coco()['annotations'] == alone['annotations']


def test_an_error_of_the_program_is_seen_and_then_set_aside(run, bench, annotate):
    fails = interrupted(annotate, RuntimeError('kernel'))
    for _ in range(2):
        with pytest.raises(RuntimeError, match='kernel'):
            run(fails)
    assert run(fails) == Summary(images=7, annotations=13, left_out=3, set_aside=1)
    assert bench.left_out()['2.png']['error'] == '2 processes ended at it: kernel'


def test_too_much_for_the_machine_is_left_out(run, bench, annotate):
    assert run(interrupted(annotate, MemoryError())).left_out == 3
    assert bench.left_out()['2.png']['error'] == 'MemoryError'


@pytest.mark.parametrize('of_folder', [False, True])
def test_an_image_is_lost_or_all_of_them(run, bench, of_folder):
    def lost(file):
        if of_folder:
            shutil.rmtree(bench.photos, ignore_errors=True)
        raise FileNotFoundError(f'{file} does not exist')

    if of_folder:
        with pytest.raises(FileNotFoundError, match='photos, where images were, is not there'):
            run(lost)
        assert not (bench.out / 'coco.json').exists()
        return
    assert run(lost).left_out == 10
    assert 'does not exist' in bench.left_out()['0.png']['error']
    assert bench.coco()['images'] == []


def test_a_disk_of_listed_images_has_gone(run, bench, tmp_path):
    """Where it was, an empty folder is left; that of the list is not empty."""
    disk = tmp_path / 'disk'
    (disk / 'photos').mkdir(parents=True)
    paths = [disk / 'photos' / f'{number}.png' for number in range(3)]
    for path in paths:
        path.touch()
    images = tmp_path / 'list.txt'
    images.write_text(''.join(f'{path}\n' for path in paths))

    def gone(file):
        shutil.rmtree(disk / 'photos')
        raise OSError(errno.EIO, 'Input/output error')

    with pytest.raises(FileNotFoundError, match='disk, where images were, is not there any more'):
        run_job(bench.begin(images), in_this_process(gone))


@pytest.mark.parametrize('count', [1, 2])
def test_an_image_that_had_a_folder_of_its_own_is_left_out(run, bench, annotate, count):
    """Where several were, all of them seem lost."""
    own = bench.photos / 'own' / 'sub'
    own.mkdir(parents=True)
    for number in range(count):
        shutil.copy(bench.photos / '0.png', own / f'own{number}.png')
    bench.begin()
    for path in own.iterdir():
        path.unlink()
    job = bench.begin(keep_list=True)
    if count > 1:
        with pytest.raises(FileNotFoundError, match='sub, where images were, is not there'):
            run_job(job, in_this_process(annotate))
    else:
        assert run_job(job, in_this_process(annotate)).left_out == 3  # two are broken
        assert 'own/sub/own0.png' in bench.left_out()


def test_a_result_that_was_moved_away_is_written_again(run, bench):
    run()
    before = (bench.out / 'coco.json').read_bytes()
    (bench.out / 'coco.json').unlink()
    run()
    assert (bench.out / 'coco.json').read_bytes() == before


@pytest.mark.parametrize('linked', [False, True])
def test_a_corrected_result_is_kept(run, bench, capsys, linked, tmp_path):
    run()
    coco = bench.out / 'coco.json'
    before = coco.read_bytes()
    if linked:
        coco = coco.rename(tmp_path / 'coco.json')
        (bench.out / 'coco.json').symlink_to(coco)
    for correction in (b'{"corrected": 1}', b'{"corrected": 2}'):
        coco.write_bytes(correction)
        run()
        assert coco.read_bytes() == correction
        for _ in range(2):  # the second time there is nothing to keep
            (bench.out / 'summary.json').unlink()
            run()
            assert (bench.out / 'coco.json').read_bytes() == before
    kept = [coco.with_name(f'coco.before-{number}.json') for number in (1, 2)]
    assert sorted(coco.parent.glob('coco.*')) == [*kept, coco]
    assert [path.read_bytes()[-2:] for path in kept] == [b'1}', b'2}']
    assert 'it is coco.before-2.json now' in capsys.readouterr().err


def test_full_disk_in_a_part(run, bench, monkeypatch, alone):
    opened = Path.open

    class Full(io.FileIO):
        def write(self, content):
            if self.tell() > 600:
                super().write(content[:20])
                raise NO_ROOM
            return super().write(content)

    def full(path, mode='r', *args, **kwargs):
        return Full(path, mode) if mode == 'xb' else opened(path, mode, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'open', full)
        with pytest.raises(OSError, match='is full after 2 of 10 images: make room and run the'):
            run()
    assert run().left_out == 2
    assert bench.coco()['annotations'] == alone['annotations']


def test_full_disk_at_the_end(run, bench, monkeypatch, alone):
    def full(*args):
        raise NO_ROOM

    with monkeypatch.context() as patch:
        patch.setattr('shutil.copyfileobj', full)
        with pytest.raises(OSError, match='is full after'):
            run()
    assert not (bench.out / 'coco.json').exists() and not list(bench.out.rglob('.*.partial'))
    assert run(pytest.fail).set_aside == 0
    assert bench.coco()['annotations'] == alone['annotations']


def test_a_part_that_is_lost_is_made_again(run, bench, alone):
    run()
    for path in (*(bench.out / 'parts').iterdir(), bench.out / 'summary.json'):
        path.unlink()
    (bench.photos / '4.png').write_text('cat cat cat')
    assert run().annotations == 15


def test_names_that_are_no_names(run, bench, annotate):
    """ "None of these", and masks of models without names."""

    def unnamed(file):
        record = annotate(file)
        for place, annotation in enumerate(record['annotations']):
            annotation.update(category_name='none of these') if place else (
                annotation.pop('category_name')
            )
        return record

    run(unnamed)
    categories = {each['id']: each['name'] for each in bench.coco()['categories']}
    assert categories == {1: 'cat', 2: 'dog', 3: 'fox', 4: 'object', 5: 'none of these'}
    assert {each['category_id'] for each in bench.coco()['annotations']} == {4, 5}
