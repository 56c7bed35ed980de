"""What tools that run a config share: its changes on the command line."""

import pytest
from mmengine.config import Config, DictAction

from ovsam.engine.runner_flags import ConfigOptions, runner_config, runner_parser
from ovsam.utils.paths import config_path


def options(*words):
    return runner_parser('a tool').parse_args(['x.py', '--cfg-options', *words]).cfg_options


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('', ''),
        ('traffic light', 'traffic light'),
        (' cat ', 'cat'),
        ('"traffic light"', 'traffic light'),
        ('[cat, traffic light]', ['cat', 'traffic light']),
        ('cat,traffic light', ['cat', 'traffic light']),
        ('[\'traffic light\', "stop sign"]', ['traffic light', 'stop sign']),
        ('(traffic light, 1, 2.5, True, None)', ('traffic light', 1, 2.5, True, None)),
        ('[(a b, 2), [c d], ( 3 , 4 )]', [('a b', 2), ['c d'], (3, 4)]),
        ('bat (animal)', 'bat (animal)'),
        ('[bat (animal, flying), dog]', ['bat (animal, flying)', 'dog']),
        ("[driver's seat, boys' room]", ["driver's seat", "boys' room"]),
    ],
)
def test_spaces_inside_of_values_stay(text, value):
    assert options(f'a.b={text}') == {'a.b': value}


@pytest.mark.parametrize(
    'text',
    [
        '',
        '5',
        '-1e-3',
        'true',
        'None',
        'a',
        '1,2',
        '1,',
        '(1,)',
        '[]',
        '()',
        '[a,b]',
        '[(1,2),[a,b],c]',
        '"a","b"',
        "'5'",
        '[[1,2],[3]]',
        'a=b',
        'a,,b',
        '["a","b"]',
        '(a)',
        'a(b)',
    ],
)
def test_the_rest_is_mmengines(text):
    assert options(f'key={text}') == {'key': DictAction._parse_iterable(text)}


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (['a=[1,2'], "the brackets of '[1,2' do not match"),
        (['a=(1,2]'], 'do not match'),
        (['a=1,2)'], 'do not match'),
        (['names=traffic', 'light'], "'light' is not KEY=VALUE"),
    ],
)
def test_what_is_no_option_is_one_line(words, said, capsys):
    with pytest.raises(SystemExit):
        options(*words)
    assert said in capsys.readouterr().err


def test_every_tool_has_these_options():
    tools = (config_path('mini/sam_half.py').parents[2] / 'tools').glob('*.py')
    assert not [tool.name for tool in tools if 'DictAction' in tool.read_text()]
    assert issubclass(ConfigOptions, DictAction)


def test_the_config_that_a_runner_writes_is_the_one_it_runs(tmp_path):
    args = runner_parser('a tool').parse_args(
        [str(config_path('mini/sam_half.py')), '--cfg-options', 'max_iters=7']
    )
    cfg = runner_config(args)
    assert (cfg.max_iters, cfg.launcher, cfg.work_dir) == (7, 'none', 'work_dirs/sam_half')
    cfg.dump(tmp_path / 'written.py')
    written = (tmp_path / 'written.py').read_text()
    assert Config.fromfile(tmp_path / 'written.py').to_dict() == cfg.to_dict()
    assert len(written.splitlines()) > 500
