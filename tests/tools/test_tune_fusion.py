from ovsam.utils.paths import config_path
from tools import tune_fusion


def test_grid_is_printed_best_first(small_world, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setattr(tune_fusion, 'STEPS', 2)
    assert tune_fusion.main([str(config_path('mini/ovsam_box.py'))]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.count('.') == 6]
    assert len(rows) == 4
    harmonic = [float(row[0]) for row in rows]
    assert harmonic == sorted(harmonic, reverse=True)
    assert {tuple(row[3:5]) for row in rows} == {
        ('0.00', '0.00'),
        ('0.00', '1.00'),
        ('1.00', '0.00'),
        ('1.00', '1.00'),
    }


def test_models_without_two_opinions(small_world, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    assert tune_fusion.main([str(config_path('mini/sam_box.py'))]) == 2
    assert 'has a SAM, which has no scores to fuse' in capsys.readouterr().err
    assert tune_fusion.main(['nowhere.py']) == 2
    assert 'nowhere.py' in capsys.readouterr().err
