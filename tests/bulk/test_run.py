"""Jobs of one or several workers, and whatever may happen to them: nothing is lost, or silent."""

import errno
import json
import os
import shutil
import threading
from collections import Counter
from pathlib import Path

import pytest

from ovsam.bulk import Summary, run_job
from ovsam.bulk.shares import Shares, part_path

NO_ROOM = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def run(bench, annotate):
    """Runs a worker of a job, which it begins."""

    def call(annotate=annotate, rank=0, world=1, patience=100.0, **kwargs) -> Summary:
        job = bench.begin()
        return run_job(
            job, bench.claims(rank, patience), annotate, bench.source, (rank, world), **kwargs
        )

    return call


@pytest.fixture
def alone(run, bench):
    """What a worker writes that nothing happens to."""
    run()
    content = bench.coco()
    shutil.rmtree(bench.out)
    return content


def die(bench, images):
    """A worker that is killed after so many images of the first share that is left."""
    share = next(Shares(bench.begin(), bench.claims()).take_all())
    for image, _ in list(share.pending())[:images]:
        share.add(image, {'height': 8, 'width': 9, 'annotations': []})
    path = share.claim.file('.claim')
    content = json.loads(path.read_text())
    content['worker'][3] = 'long ago'
    path.write_text(json.dumps(content))
    return share


def test_no_tries(run):
    with pytest.raises(ValueError, match='max_tries must be positive; got 0'):
        run(max_tries=0)


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
    assert left_out['7.png'] == {
        'id': 8,
        'file_name': '7.png',
        'error': 'it is broken',
        'part': 'shares/000000/000000001.jsonl',
    }
    said = capsys.readouterr().err
    assert f'left out {bench.photos}/3.png: it is broken' in said and '10/10' in said
    assert not list((bench.out / 'claims').iterdir())


def test_what_is_done_is_not_done_again(run, bench):
    first = run()
    before = (bench.out / 'coco.json').stat().st_mtime_ns
    assert run(annotate=pytest.fail) == first
    assert (bench.out / 'coco.json').stat().st_mtime_ns == before


def test_several_workers_do_each_image_once(run, bench, annotate, alone):
    calls, found = Counter(), []
    bench.begin()

    def counted(file):
        calls[file.name] += 1
        return annotate(file)

    workers = [
        threading.Thread(target=lambda rank=rank: found.append(run(counted, rank, 3, patience=5.0)))
        for rank in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 3 and len(set(found)) == 1
    assert set(calls.values()) == {1} and len(calls) == 10
    assert bench.coco()['annotations'] == alone['annotations']


def test_the_share_of_a_dead_worker_is_done_from_where_it_was(run, bench, annotate):
    die(bench, images=1)
    calls = []
    assert run(lambda file: calls.append(file.name) or annotate(file), rank=1).left_out == 2
    assert calls == [f'{number}.png' for number in range(1, 10)]


def test_a_line_that_a_dead_worker_did_not_end(run, bench, annotate, alone):
    share = die(bench, images=0)
    share.claim.file('.jsonl').write_text(
        '{"id": 1, "file_name": "0.png", "heig\n[]\n{"id": 9, "file_name": "8.png"}\n{"id": "x"}'
    )
    run()
    assert bench.coco()['annotations'] == alone['annotations']


def test_an_image_at_which_workers_die_is_set_aside(run, bench, capsys):
    for images in (1, 0, 0):
        die(bench, images)
    assert run(max_tries=3) == Summary(images=7, annotations=10, left_out=3, set_aside=1)
    record = bench.left_out()['1.png']
    assert record['set_aside'] and '3 processes ended at it' in record['error']
    assert '1.png: 3 processes ended' in capsys.readouterr().err


def test_workers_that_were_stopped_have_not_died(run, bench, annotate, alone):
    def stopped(file):
        if file.name == '2.png':
            raise KeyboardInterrupt
        return annotate(file)

    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            run(stopped)
    assert run().set_aside == 0
    assert bench.coco()['annotations'] == alone['annotations']


def test_an_error_of_the_program_is_seen_and_then_set_aside(run, bench, annotate):
    def fails(file):
        if file.name == '2.png':
            raise RuntimeError('kernel')
        return annotate(file)

    for _ in range(2):
        with pytest.raises(RuntimeError, match='kernel'):
            run(fails, max_tries=2)
    assert run(fails, max_tries=2) == Summary(images=7, annotations=13, left_out=3, set_aside=1)


def test_too_much_for_the_machine_is_left_out(run, bench, annotate):
    def fails(file):
        if file.name == '2.png':
            raise MemoryError
        return annotate(file)

    assert run(fails).left_out == 3
    assert bench.left_out()['2.png']['error'] == 'MemoryError'


def test_a_slow_worker_loses_its_share_and_goes_on_with_others(run, bench, annotate, alone, capsys):
    """Of a machine that cannot be seen, and that is not dead."""
    job = bench.begin()
    slow = bench.claims()
    slow.worker = slow.worker._replace(place='far')

    def takes_long(file):
        if file.name == '1.png':
            run(rank=1, patience=0.05)
        return annotate(file)

    assert run_job(job, slow, takes_long, bench.source).left_out == 2
    assert 'has been done by another process; going on with others' in capsys.readouterr().err
    assert bench.coco()['annotations'] == alone['annotations']


@pytest.mark.parametrize('of_folder', [False, True])
def test_an_image_is_lost_or_all_of_them(run, bench, of_folder):
    bench.begin()
    if of_folder:

        def unmounted(file):
            shutil.rmtree(bench.photos, ignore_errors=True)
            raise FileNotFoundError(file)

        claims = bench.claims()
        with pytest.raises(FileNotFoundError, match='photos, where the images were, is not there'):
            run_job(bench.begin(), claims, unmounted, bench.source)
        assert not (bench.out / 'coco.json').exists()
        return

    def lost(file):
        raise FileNotFoundError(f'{file} does not exist')

    assert run(lost).left_out == 10
    assert 'does not exist' in bench.left_out()['0.png']['error']
    assert bench.coco()['images'] == []


def test_full_disk_in_a_share(run, bench, monkeypatch, alone):
    opened = Path.open

    def full(path, mode='r', **kwargs):
        if mode == 'a' and sum(1 for _ in opened(path)) == 2 if path.exists() else False:
            with opened(path, mode, **kwargs) as file:
                file.write('{"id": 3, "file')
            raise NO_ROOM
        return opened(path, mode, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'open', full)
        with pytest.raises(OSError, match='is full after 2 of 10 images: make room and run the'):
            run()
    assert run().left_out == 2
    assert bench.coco()['annotations'] == alone['annotations']


@pytest.mark.parametrize('what', ['os.fsync', 'shutil.copyfileobj'])
def test_full_disk_when_parts_and_the_end_are_written(run, bench, monkeypatch, alone, what):
    def full(*args):
        raise NO_ROOM

    with monkeypatch.context() as patch:
        patch.setattr(what, full)
        with pytest.raises(OSError, match='is full after'):
            run()
    assert not (bench.out / 'coco.json').exists() and not list(bench.out.rglob('.*.partial'))
    assert run(max_tries=1).set_aside == 0
    assert bench.coco()['annotations'] == alone['annotations']


def test_a_part_that_is_lost_is_made_again(run, bench, alone):
    run()
    part_path(bench.out, 1).unlink()
    (bench.photos / '4.png').write_text('cat cat cat')
    assert run().annotations == 15
    assert len(bench.coco()['annotations']) == 15


def lines_of(path):
    return path.read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    'damage',
    [
        lambda path: path.write_text(''),
        lambda path: path.write_text(''.join(lines_of(path)[:-1])),
        lambda path: path.write_text(''.join(lines_of(path))[:-30]),
        lambda path: path.write_text(''.join([*lines_of(path), lines_of(path)[-1]])),
        lambda path: path.write_bytes(part_path(path.parents[2], 1).read_bytes()),
        lambda path: path.write_text(path.read_text().replace('"job": "', '"job": "0')),
    ],
    ids=['empty', 'a line less', 'cut', 'an image twice', 'another share', 'another job'],
)
def test_a_damaged_part_is_named(run, bench, damage, alone):
    run()
    path = part_path(bench.out, 0)
    damage(path)
    (bench.out / 'summary.json').unlink()
    with pytest.raises(ValueError, match=f'{path} is damaged .*delete it and run the same command'):
        run()
    path.unlink()
    run()
    assert bench.coco()['annotations'] == alone['annotations']


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


def test_progress_counts_what_others_do(run, bench, capsys, annotate, monkeypatch):
    monkeypatch.setattr('ovsam.bulk.run.REFRESH', 0.0)
    shares = Shares(bench.begin(), bench.claims(1))
    others = shares.take_all()
    share = next(others)

    def meanwhile(file):
        for image, _ in list(share.pending()):
            share.add(image, {'error': 'by another'})
        if not part_path(bench.out, share.number).exists():
            share.finish()
        return annotate(file)

    run(meanwhile)
    assert '10/10' in capsys.readouterr().err
    run(annotate=pytest.fail)
    said = capsys.readouterr().err
    assert '10/10' in said and '0/10' not in said.replace('10/10', '')
