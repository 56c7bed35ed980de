"""The whole comparison, on two scenes."""

import csv

import pytest

from ovsam.utils.marked_section import section_marks
from tools import compare

BEGIN, END = section_marks('comparison')
CONFIGS = ['configs/mini/image_crop_box.py', 'configs/mini/ovsam_box.py']


@pytest.fixture
def world(small_world, monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    return tmp_path


def run(world, *args):
    return compare.main(
        [
            *args,
            '--out',
            str(world / 'out'),
            '--repeat',
            '0',
            '--device',
            'cpu',
            '--cfg-options',
            'test_dataloader.num_workers=0',
        ]
    )


def test_a_table_and_pictures_in_a_page(world, monkeypatch, capsys):
    page = world / 'docs' / 'results.md'
    page.parent.mkdir()
    page.write_text(f'{BEGIN}\n{END}\n')
    assert (
        run(world, *CONFIGS, '--names', 'crops', 'OVSAM', '--scenes', '1', '--insert', str(page))
        == 0
    )
    section = (world / 'out/comparison.md').read_text()
    assert page.read_text() == f'{BEGIN}\n{section}{END}\n'
    assert capsys.readouterr().out.strip().endswith(section.strip())
    assert '`python tools/compare.py configs/mini/image_crop_box.py' in section
    assert [
        line.split(' | ')[0].rstrip() for line in section.splitlines() if line.startswith('| ')
    ] == [
        '| method',
        '| crops',
        '| OVSAM',
    ]
    head = next(line for line in section.splitlines() if line.startswith('| method'))
    head = ' '.join(head.split())
    assert ' | harmonic | mask AP | AP50 base | AP50 novel | ' in head
    rows = list(csv.DictReader((world / 'out/comparison.csv').read_text().splitlines()))
    assert all(0 <= float(row['coco/segm_mAP']) <= 1 for row in rows)
    assert '](comparison-boxes.jpg)' in section
    assert (page.parent / 'comparison-boxes.jpg').read_bytes()[:2] == b'\xff\xd8'
    assert (world / 'out/comparison.csv').read_text().count('\n') == 3

    # A second run finds all there, under other titles too.
    monkeypatch.setattr(compare, 'init_model', lambda *_, **__: pytest.fail('measured again'))
    assert run(world, *CONFIGS, '--scenes', '1') == 0


def test_bad_input_is_one_line(world, capsys):
    assert run(world, CONFIGS[0], CONFIGS[0]) == 2
    assert capsys.readouterr().err.startswith('compare: given more than once: ')
    assert not (world / 'out').exists()


def test_missing_weights_are_named_before_anything_runs(world, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(world / 'weights'))
    monkeypatch.setattr(compare, 'init_model', lambda *_, **__: pytest.fail('began to run'))
    assert run(world, *CONFIGS) == 2
    err = capsys.readouterr().err
    assert 'weights/clip.pth' in err and 'image_crop_box.py reads are not there' in err


@pytest.mark.parametrize('wrong', [['--scenes', '-1'], ['--repeat', '-1']])
def test_negative_numbers_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        compare.main([*CONFIGS, *wrong])
    assert 'must not be negative' in capsys.readouterr().err
