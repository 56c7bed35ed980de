import pytest

from tools.benchmark import main


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    monkeypatch.setenv('OVSAM_MINI_WEIGHTS', str(tmp_path / 'nothing'))


def printed(capsys):
    """Lines of the tool, without those that mmengine logs if nobody has set its logger up."""
    lines = capsys.readouterr().out.splitlines()
    return [line for line in lines if ' - mmengine - ' not in line]


def test_complexity(capsys):
    configs = ['configs/mini/ovsam_box.py', 'configs/mini/image_crop_box.py']
    assert main(['complexity', *configs, '--prompts', '3', '--size', '128']) == 0
    lines = [line.split() for line in printed(capsys)]
    parts = [line[0] for line in lines if len(line) == 5]
    assert {'backbone', 'neck', 'mask_decoder', 'label_head', 'total'} <= set(parts)
    assert ['text_encoder', '(not', 'counted)'] in [line[:3] for line in lines]
    total = next(line for line in lines if line[:1] == ['total'])
    assert float(total[4]) == pytest.approx(float(total[2]) + 3 * float(total[3]), abs=0.02)
    ours, crops = lines[-2:]
    assert (ours[0], ours[2], crops[0]) == ('ovsam_box', '1.000', 'image_crop_box')
    assert float(crops[2]) == pytest.approx(float(crops[1]) / float(ours[1]), rel=0.02)


def test_latency(capsys):
    assert main(['latency', 'mini', '--repeat', '1', '--size', '128', '--device', 'cpu']) == 0
    head, row, foot = printed(capsys)
    assert head.split() == 'config ms an image ratio ms a prompt ratio'.split()
    assert row.split()[0] == 'mini' and float(row.split()[1]) > 0
    assert foot.startswith('median of 1, 1 prompts at once, cpu')


@pytest.mark.slow
def test_memory(capsys):
    assert main(['memory', 'mini', '--prompts', '2']) == 0
    assert 'GB at most' in capsys.readouterr().out


@pytest.mark.slow
def test_interactive(capsys):
    assert main(['interactive', 'mini', '--prompts', '3', '--points-per-side', '2', '--repeat',
                 '1', '--names', '2', '5']) == 0
    lines = printed(capsys)
    assert lines[0].startswith('mini, ') and len(lines) == 7
    assert 'a click with 5 names' in lines[3] and 'with 2' in lines[3]
    for line in lines[2:5]:
        *_, reference, ratio = line.split()
        assert float(ratio) > 0 and float(reference) > 0
    assert lines[5].startswith('3 prompts at once: ') and 'GB above the model' in lines[5]
    assert 'mean of 4 points, times 4' in lines[6]


def test_vocabulary(tmp_path, capsys):
    page = tmp_path / 'page.md'
    page.write_text('Before\n<!-- vocabulary cost: begin -->\n<!-- vocabulary cost: end -->\n')
    assert main(['vocabulary', 'mini', '--names', '3', '4000', '--repeat', '1', '--objects', '70',
                 '--insert', str(page)]) == 0
    head, *rows, foot = printed(capsys)
    assert 'ms to name 70 objects' in head and foot.startswith('mini: median of 1, 1.8 texts')
    assert [row.split()[0] for row in rows] == 4 * ['3'] + 4 * ['4,000']
    assert rows[0].split()[5] == '1.000'
    padded, full, half = (float(row.split()[3]) for row in rows[4:7])
    assert padded >= full >= half > 0
    assert page.read_text().count('| bank float16 |') == 2


@pytest.mark.parametrize(('argv', 'fault'), [
    (['vocabulary', 'mini/sam_box.py', '--repeat', '1'], 'SAM gives no names'),
    (['vocabulary', 'mini', '--names', '0'], 'must be at least 1; got [0]'),
    (['interactive', 'mini/sam_box.py', '--repeat', '1'], 'SAM gives no names'),
    (['complexity', 'mini/none.py'], 'none.py'),
    (['complexity', 'mini/clip_regions.py'], 'RegionCLIP takes no prompts'),
    (['latency', 'mini', '--device', 'cuda:99'], 'cuda:99'),
])
def test_bad_input_is_one_line(argv, fault, capsys):
    assert main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'benchmark {argv[0]}: ') and fault in error
    assert error.count('\n') == 1


def test_no_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(['interactive', 'mini', '--names', '0', '5'])
    assert 'must be positive' in capsys.readouterr().err


def test_no_prompts_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(['memory', 'mini', '--prompts', '0'])
    assert 'must be positive' in capsys.readouterr().err
