import re

import torch
from mmengine.config import Config

from ovsam.utils.paths import config_path
from tools import calibrate


def test_what_it_prints_is_a_config_line(small_world, random_mini, monkeypatch, capsys):
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    monkeypatch.setattr(calibrate, 'STEPS', 4)
    assert calibrate.main([str(config_path('mini/ovsam_box.py'))]) == 0
    lines = capsys.readouterr().out.splitlines()
    # Before, mmengine says what it loads.
    lines = lines[[line[:3] for line in lines].index('ECE') :]
    cells = [re.split(' {2,}', line) for line in lines[1:4]]
    errors = {title[:12].strip(): [*map(float, numbers)] for title, *numbers in cells}
    assert list(errors) == ['as they are', 'normalised', 'temperature']
    assert all(0 <= error <= 100 for row in errors.values() for error in row[:1])
    shares = [
        [float(number) for number in line.split()]
        for line in lines
        if re.fullmatch(r'[ \d.]+', line)
    ]
    assert [row[0] for row in shares] == [0, 0.25, 0.5, 0.75]
    kept, refused = [row[1] for row in shares], [row[2] for row in shares]
    assert kept[0] == 100 and kept == sorted(kept, reverse=True)
    assert refused[0] == 0 and refused == sorted(refused)
    line = Config.fromstring(f'model = dict({lines[-1]})', '.py').model
    assert line.calibration.type == 'TemperatureScaling' and line.calibration.temperature > 0
    assert line.none_threshold in (0, 0.25, 0.5, 0.75)


def test_a_model_without_names_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(calibrate, 'init_model', lambda cfg: torch.nn.Identity())
    assert calibrate.main([str(config_path('mini/sam_box.py'))]) == 2
    assert 'gives no names' in capsys.readouterr().err
