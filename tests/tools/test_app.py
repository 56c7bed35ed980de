"""tools/app.py refuses bad flags before anything is loaded; pages are tested in tests/app."""

import pytest

from tools import app


@pytest.mark.parametrize(
    'flags, said',
    [
        (['--max-megabytes', '0'], '--max-megabytes must be positive'),
        (['--max-megapixels', 'nan'], '--max-megapixels must be positive'),
    ],
)
def test_limits_must_be_positive(capsys, flags, said):
    assert app.main(flags) == 2
    assert said in capsys.readouterr().err


def test_samples_must_exist(capsys, tmp_path):
    pytest.importorskip('gradio', reason='the page needs Gradio: pip install "ovsam[app]"')
    assert app.main(['--samples', str(tmp_path / 'none')]) == 2
    assert 'there is no image or folder' in capsys.readouterr().err
