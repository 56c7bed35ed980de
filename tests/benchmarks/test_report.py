import csv

import pytest

from ovsam.benchmarks.record import Record
from ovsam.benchmarks.report import csv_table, markdown_section, precisions

METRICS = {'ov/IoU_b': 71.26, 'ov/IoU_n': float('nan'), 'ov/Acc_h': 60.0}


@pytest.fixture
def rows(methods):
    first, second, third = methods('ovsam_box', 'image_crop_box', 'ovsam_point')
    full = Record(METRICS, 6_240_000, 1_950_000_000, 126_000_000, 0.0214, 0.0042)
    return [
        (first, full),
        (second, Record({'ov/IoU_b': 70.0, 'coco/segm_mAP': 0.355})),
        (third, Record(METRICS)),
    ]


def test_no_rows():
    assert markdown_section([], 'Nothing.', {}) == 'Nothing.\n'
    assert csv_table([]).startswith('method,config,prompts,parameters')


def test_tables(rows):
    section = markdown_section(rows, 'Notes.', {'boxes': 'b.jpg'}).splitlines()
    assert section[0] == 'Notes.'
    titles = [line for line in section if line.startswith('#')]
    assert titles == ['### Prompts: boxes', '### Prompts: centre points']
    tables = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in section
        if line.startswith('| ')
    ]
    assert tables[0] == [
        'method',
        'config',
        'IoU base',
        'novel',
        'harmonic',
        'mask AP',
        'GFLOPs an image',
        'a prompt',
        'parameters (M)',
        'ms an image',
        'a prompt',
    ]
    assert tables[1] == [
        'ovsam_box',
        '`ovsam_box.py`',
        '71.3',
        '',
        '60.0',
        '',
        '1.95',
        '0.126',
        '6.24',
        '21.4',
        '4.2',
    ]
    assert tables[2] == [
        'image_crop_box',
        '`image_crop_box.py`',
        '70.0',
        '',
        '',
        '35.5',
        '',
        '',
        '',
        '',
        '',
    ]
    # Where no metric gives AP there is no column for it.
    assert 'mask AP' not in tables[3] and len(tables) == 5
    assert sum('](b.jpg)' in line for line in section) == 1
    assert all(len(row) == len(tables[0]) for row in tables[:3])


def test_csv(rows):
    read = list(csv.DictReader(csv_table(rows).splitlines()))
    assert [row['config'] for row in read] == ['ovsam_box', 'image_crop_box', 'ovsam_point']
    assert read[2]['prompts'] == 'centre points'
    assert (read[0]['ov/IoU_b'], read[0]['image_seconds']) == ('71.26', '0.0214')
    assert read[1]['ov/Acc_h'] == '' and read[1]['coco/segm_mAP'] == '0.355'


@pytest.mark.parametrize(
    ('metrics', 'expected'),
    [
        ({}, {}),
        ({'ov/IoU_b': 50.0, 'coco/segm_mAP': 0.25}, {'mask AP': 25.0}),
        (
            {'coco/segm_mAP': 0.5, 'coco/segm_base_ap50': -1.0},
            {'mask AP': 50.0, 'AP50 base': pytest.approx(float('nan'), nan_ok=True)},
        ),
        ({'lvis/segm_AP': 0.25, 'lvis/bbox_AP': 0.5}, {'mask AP': 25.0}),
        ({'coco/segm_base_ap50': 0.5, 'coco/segm_base_ap': 0.1}, {'AP50 base': 50.0}),
        (
            {'found/AP': 25.0, 'found/AP50_b': 40.0, 'found/AP50_n': 30.0},
            {'mask AP': 25.0, 'AP50 base': 40.0, 'AP50 novel': 30.0},
        ),
    ],
)
def test_whose_ap(metrics, expected):
    assert precisions(metrics) == expected
