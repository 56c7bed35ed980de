"""What tools share: faults of the input are one line, bugs keep their traceback."""

import os
import signal

import pytest

from ovsam.utils.command_line import ended_by_sigterm, exit_status, output_folder, parser_of
from ovsam.utils.needed import needed
from ovsam.utils.wording import listed

FROM_A_WORKER = """Caught ValueError in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "worker.py", line 1, in fetch
    raise ValueError(path)
ValueError: a.jpg is damaged:
copy it again"""


def failing(error):
    def run():
        raise error

    return run


def test_success(capsys):
    done = []
    assert exit_status('tool', done.append, 1) == 0
    assert done == [1] and capsys.readouterr().err == ''
    assert exit_status('tool', int, '0') == 0 and exit_status('tool', int, '3') == 1


def test_what_cannot_be_shown_is_escaped(capsys):
    assert exit_status('tool', print, 'caf\udce9') == 0
    assert capsys.readouterr().out == 'caf\\udce9\n'


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (ValueError('two\n lines'), 'tool: two lines'),
        (FileNotFoundError(2, 'No such file', 'a.py'), "tool: [Errno 2] No such file: 'a.py'"),
        (ValueError(FROM_A_WORKER), 'tool: a.jpg is damaged: copy it again'),
        (
            KeyError("Nix is not in the 'model' registry"),
            "tool: Nix is not in the 'model' registry",
        ),
    ],
)
def test_bad_input_is_one_line(capsys, error, line):
    assert exit_status('tool', failing(error)) == 2
    assert capsys.readouterr().err == f'{line}\n'


def test_a_folder_to_write_to_is_no_file(tmp_path, capsys):
    parser = parser_of('')
    parser.add_argument('--out', type=output_folder)
    new, file = tmp_path / 'new' / 'folder', tmp_path / 'a.png'
    assert parser.parse_args(['--out', str(new)]).out == new
    file.touch()
    for place in (file, file / 'folder'):
        with pytest.raises(SystemExit):
            parser.parse_args(['--out', str(place)])
        assert f'{file} is a file: name a folder to write to' in capsys.readouterr().err


def test_other_faults_stay_as_they_are():
    with pytest.raises(KeyError):
        exit_status('tool', failing(KeyError('bug')))
    with pytest.raises(ValueError, match='bug'):
        exit_status('tool', failing(ValueError('bug')), unless=lambda: True)
    with pytest.raises(TypeError):
        exit_status('tool', listed, None, unless=lambda: True)


def test_faults_of_data_are_one_line_at_any_time(capsys):
    assert exit_status('tool', failing(ValueError(FROM_A_WORKER)), unless=lambda: True) == 2
    assert capsys.readouterr().err == 'tool: a.jpg is damaged: copy it again\n'


def test_what_the_package_says_itself_is_one_line_at_any_time(capsys):
    assert exit_status('tool', needed, None, 'give\n one', unless=lambda: True) == 2
    assert capsys.readouterr().err == 'tool: give one\n'


def test_sigterm_ends_a_block_as_an_error_does():
    before, said = signal.getsignal(signal.SIGTERM), []
    with pytest.raises(SystemExit) as ended, ended_by_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        finally:
            said.append('the end')
    assert ended.value.code == 143 and said == ['the end']
    assert signal.getsignal(signal.SIGTERM) is before
