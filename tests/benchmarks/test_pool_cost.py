from ovsam.commands.benchmark import main


def test_the_small_worlds_pool(capsys):
    assert main(['pool', 'mini', '--prompts', '2', '--repeat', '1']) == 0
    _, row, foot = [
        line for line in capsys.readouterr().out.splitlines() if ' - mmengine - ' not in line
    ]
    name, ours, theirs, ratio = row.split()
    assert name == 'mini' and float(ratio) > 0 and float(ours) > 0 and float(theirs) > 0
    assert foot.startswith('median of 1, 2 regions at once, cpu')


def test_a_model_without_a_pool(capsys):
    assert main(['pool', 'mini/sam_box.py']) == 2
    assert 'has no attention pool: use that of a ResNet' in capsys.readouterr().err
