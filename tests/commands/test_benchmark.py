import pytest
import torch

from ovsam.benchmarks import vocabulary_cost
from ovsam.commands.benchmark import main
from ovsam.utils.marked_section import section_marks

MINI_SCALE = [
    'scale',
    '--sam2clip',
    'mini/sam2clip.py',
    '--clip2sam',
    'mini/clip2sam_base.py',
    '--ovsam',
    'mini/ovsam_box.py',
    '--size',
    '128',
]


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'nothing'))


def printed_lines(capsys):
    """What the tool printed; mmengine says what it read from the environment."""
    return [line for line in capsys.readouterr().out.splitlines() if ' - mmengine - ' not in line]


def test_complexity(capsys):
    configs = ['configs/mini/ovsam_box.py', 'configs/mini/image_crop_box.py']
    assert main(['complexity', *configs, '--prompts', '3', '--size', '128']) == 0
    lines = [line.split() for line in printed_lines(capsys)]
    parts = [line[0] for line in lines if len(line) == 5]
    assert {'backbone', 'neck', 'mask_decoder', 'label_head', 'total'} <= set(parts)
    assert ['text_encoder', '(not', 'counted)'] in [line[:3] for line in lines]
    total = next(line for line in lines if line[:1] == ['total'])
    assert float(total[4]) == pytest.approx(float(total[2]) + 3 * float(total[3]), abs=0.02)
    ours, crops = lines[-2:]
    assert (ours[0], ours[2], crops[0]) == ('ovsam_box', '1.000', 'image_crop_box')
    assert float(crops[2]) == pytest.approx(float(crops[1]) / float(ours[1]), rel=0.02)


@pytest.mark.parametrize('command', ['latency --precision fp32 bf16', 'gpu'])
def test_latency(command, capsys):
    options = ['--repeat', '1', '--size', '128', '--device', 'cpu']
    assert main([*command.split(), *options, '--', 'mini']) == 0
    head, row, half, foot = printed_lines(capsys)
    assert head.split() == 'config ms an image ratio ms a prompt ratio'.split()
    assert row.split()[:2] == ['mini', 'fp32'] and float(row.split()[2]) > 0
    assert half.split()[:2] == ['mini', 'bf16'] and float(half.split()[3]) > 0
    assert foot.startswith('median of 1, 1 prompts at once, cpu')


def test_training(capsys):
    assert (
        main(
            [
                'training',
                'mini/clip2sam_image_level.py',
                '--names',
                '3',
                '40',
                '--sampled',
                '5',
                '--repeat',
                '1',
                '--images',
                '1',
                '--prompts',
                '2',
                '--device',
                'cpu',
            ]
        )
        == 0
    )
    title, head, few, many, sampled, foot = printed_lines(capsys)
    assert title.endswith('1 images of full size, 2 objects each')
    assert [line.split('  ')[0] for line in (few, many, sampled)] == [
        '3 names',
        '40 names',
        '40 names, 5 at a time',
    ]
    assert head.split()[0] == 'vocabulary'
    step, ratio, loss, share = few.split()[2:]
    assert 0 < float(loss) < float(step) and float(ratio) == 1
    # Of figures that are rounded.
    assert float(share.rstrip('%')) == pytest.approx(100 * float(loss) / float(step), rel=0.5)
    assert foot.startswith('median of 1, cpu')


@pytest.mark.slow
def test_memory(capsys):
    assert main(['memory', 'mini', '--prompts', '2']) == 0
    assert 'GB at most' in capsys.readouterr().out


@pytest.mark.slow
def test_interactive(capsys):
    assert (
        main(
            [
                'interactive',
                'mini',
                '--prompts',
                '3',
                '--points-per-side',
                '2',
                '--repeat',
                '1',
                '--names',
                '2',
                '5',
            ]
        )
        == 0
    )
    lines = printed_lines(capsys)
    assert lines[0].startswith('mini, ') and len(lines) == 7
    assert 'a click with 5 names' in lines[3] and 'with 2' in lines[3]
    for line in lines[2:5]:
        *_, reference, ratio = line.split()
        assert float(ratio) > 0 and float(reference) > 0
    assert lines[5].startswith('3 prompts at once: ') and 'GB above the model' in lines[5]
    assert 'mean of 4 points, times 4' in lines[6]


def test_scale(capsys, tmp_path):
    page = tmp_path / 'scale.md'
    begin, end = section_marks('scale')
    page.write_text(f'# Scale\n{begin}\nold\n{end}\n')
    argv = [*MINI_SCALE, '--gpus', '4', '--images', '1000', '--insert', str(page)]
    assert main(argv) == 0
    printed = '\n'.join(printed_lines(capsys))
    assert f'# Scale\n{begin}\n{printed.rstrip()}\n{end}\n' == page.read_text()
    assert printed.startswith('`ovsam benchmark scale --sam2clip mini/sam2clip.py ')
    assert '4 GPUs of 312 TFLOPS, of which 40% are reached' in printed
    assert '| many images: labelling, everything mode ' in printed


def test_scale_is_printed_though_it_cannot_be_inserted(capsys, tmp_path):
    page = tmp_path / 'page.md'
    page.write_text('no marks')
    assert main([*MINI_SCALE, '--insert', str(page)]) == 2
    printed = capsys.readouterr()
    assert '| GPU-hours |' in ' '.join(printed.out.split())
    assert "no place for the section 'scale'" in printed.err
    assert page.read_text() == 'no marks'


def test_vocabulary(tmp_path, capsys, monkeypatch):
    # A new process, which has a test of its own, would have to import everything.
    monkeypatch.setattr(vocabulary_cost, 'in_fresh_process', lambda call, *args: call(*args))
    page = tmp_path / 'page.md'
    page.write_text('Before\n<!-- vocabulary cost: begin -->\n<!-- vocabulary cost: end -->\n')
    assert (
        main(
            [
                'vocabulary',
                'mini',
                '--names',
                '3',
                '1000',
                '--repeat',
                '1',
                '--objects',
                '70',
                '--insert',
                str(page),
            ]
        )
        == 0
    )
    head, *rows, foot = printed_lines(capsys)
    assert 'ms to name 70 objects' in head and foot.startswith('mini: median of 1, 1.8 texts')
    assert [row.split()[0] for row in rows] == 3 * ['3'] + 3 * ['1,000']
    assert rows[0].split()[5] == '1.000'
    full, half = (float(row.split()[2]) for row in rows[3:5])
    assert full >= half > 0
    assert (
        sum('| float16 ' in line or '  float16 |' in line for line in page.read_text().splitlines())
        == 2
    )


@pytest.mark.parametrize(
    ('argv', 'fault'),
    [
        (['scale', '--images', '0'], 'must be positive'),
        (['scale', '--gpus', '0'], 'must be positive'),
        (['latency', 'mini', '--aspect', '2'], 'aspect must be in [0, 1]; got 2'),
        (['scale', '--utilisation', '2'], 'utilisation must be in [0, 1]; got 2'),
        (['vocabulary', 'mini/sam_box.py', '--repeat', '1'], 'SAM gives no names'),
        (['vocabulary', 'mini', '--names', '80', '0'], '--names must be positive; got 0'),
        (['vocabulary', 'mini', '--texts', '0.5'], '--texts must be in [1, inf]; got 0.5'),
        (['latency', 'mini', '--repeat', '0'], '--repeat must be positive; got 0'),
        (['interactive', 'mini', '--names', '0', '5'], '--names must be positive; got 0'),
        (['memory', 'mini', '--prompts', '0'], '--prompts must be positive; got 0'),
        (['complexity', 'mini', '--again', '2'], '--again must be in [0, 1]; got 2'),
        (['interactive', 'mini/sam_box.py', '--repeat', '1'], 'SAM gives no names'),
        (['complexity', 'mini/none.py'], 'none.py'),
        (['complexity', 'mini/clip_regions.py'], 'RegionCLIP takes no prompts'),
        (['latency', 'mini', '--device', 'cuda:99'], 'cuda:99'),
        pytest.param(
            ['gpu', 'mini'],
            'device cuda is not there',
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU'),
        ),
        (['training', 'mini', '--device', 'cpu'], '.py trains nothing'),
        (['training', 'mini/clip2sam_joint.py', '--device', 'cpu'], 'OVSAM has no class loss over'),
        (['training', 'mini/clip2sam_image_level.py', '--images', '0'], 'must be positive'),
    ],
)
def test_bad_input_is_one_line(argv, fault, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'benchmark {argv[0]}: ') and fault in error
    assert error.count('\n') == 1
