"""What is kept of each image, whatever happens to who writes it."""

import pytest

from ovsam.bulk.parts import History, Part, read_outcomes

KILLED = 'its process was killed, ran out of memory, or crashed'


def write(folder, name='run-0', begun=(), done=(), failed=()):
    part = Part(folder, name)
    for place in done:
        part.write(place, begun=True)
        part.write(place, file_name=f'{place}.png', annotations=[{'begun': 'x' * 99}])
    for place in failed:
        part.write(place, begun=True)
        part.write(place, failed='kernel')
    for place in begun:
        part.write(place, begun=True)
    part.close()


def test_nothing(tmp_path):
    history = History(tmp_path, 3)
    assert history.done == 0 and history.pending().tolist() == [0, 1, 2] and not history.deaths
    write(tmp_path)
    assert list(read_outcomes(tmp_path / 'run-0.0.jsonl')) == []


def test_outcomes(tmp_path):
    write(tmp_path, done=[3, 1], failed=[2], begun=[5])
    path = tmp_path / 'run-0.0.jsonl'
    found = list(read_outcomes(path))
    assert [each[0] for each in found] == [3, 1, 2, 5]
    assert found[0][1] == len('{"id": 4, "begun": true}\n')
    assert found[2:] == [(2, None, 'kernel'), (5, None, KILLED)]
    assert list(read_outcomes(path, stopped=True)) == found[:3]


@pytest.mark.parametrize(
    'end', [b'{"id": 2, "file_na', b'{"id": 2, "file_name": "1.png"', b'\0' * 9]
)
def test_a_line_that_was_not_finished(tmp_path, end):
    write(tmp_path, done=[0], begun=[1])
    with (tmp_path / 'run-0.0.jsonl').open('ab') as file:
        file.write(end)
    history = History(tmp_path, 2)
    assert history.done == 1 and history.deaths == {1: 1}


def test_a_batch_that_is_tried_again(tmp_path):
    write(tmp_path, done=[0], begun=[1])
    part = Part(tmp_path, 'run-0')
    assert [(each[0], each[1] is None) for each in part.earlier] == [(0, False), (1, True)]
    assert Part(tmp_path, 'run-1').earlier == []
    assert History(tmp_path, 2).deaths == {1: 1}


def test_an_interrupted_run_did_not_die(tmp_path):
    """But attempts before its last one did."""
    write(tmp_path, begun=[0])
    write(tmp_path, done=[1], begun=[2])
    write(tmp_path, name='other-0', begun=[3])
    (tmp_path / 'run.stopped').touch()
    history = History(tmp_path, 5)
    assert history.deaths == {0: 1, 3: 1} and history.reasons == {0: KILLED, 3: KILLED}
    assert history.pending().tolist() == [2, 4, 0, 3]


def test_records_in_the_order_of_the_listing(tmp_path):
    write(tmp_path, done=[2, 0])
    write(tmp_path, name='run-1', done=[1])
    names = ['0.png', '1.png', '2.png']
    history = History(tmp_path, 3)
    assert [record['id'] for record in history.records(names)] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"run-1.0.jsonl is damaged \(it has '1.png' in place of"):
        list(history.records(['0.png', 'x.png', '2.png']))
    content = (tmp_path / 'run-0.0.jsonl').read_bytes()
    (tmp_path / 'run-0.0.jsonl').write_bytes(content.replace(b'[{', b'{['))
    with pytest.raises(ValueError, match='run-0.0.jsonl is damaged .*delete it and run the same'):
        list(History(tmp_path, 3).records(names))


def test_numbers_without_a_value_are_null(tmp_path):
    part = Part(tmp_path, 'run-0')
    part.write(0, file_name='0.png', annotations=[{'score': float('nan')}])
    part.close()
    assert b'NaN' not in (tmp_path / 'run-0.0.jsonl').read_bytes()
    assert next(History(tmp_path, 1).records(['0.png']))['annotations'] == [{'score': None}]


@pytest.mark.parametrize('counts', ['', '08P', '08P3', [72, 1], '08P2'])
def test_run_lengths_that_do_not_add_up(tmp_path, counts):
    part = Part(tmp_path, 'run-0')
    mask = {'segmentation': {'size': [8, 9], 'counts': counts}}
    part.write(0, file_name='0.png', height=8, width=9, annotations=[mask])
    part.close()
    records = History(tmp_path, 1).records(['0.png'])
    if counts == '08P2':  # 0, 8 and 64 pixels
        assert next(records)['annotations'] == [mask]
    else:
        with pytest.raises(
            ValueError, match=r'is damaged \(annotation 1 of 0.png has a mask whose'
        ):
            next(records)
