import hashlib

import pytest

from ovsam.utils.digest import file_digest


@pytest.mark.parametrize('content', [b'', b'abc', b'x' * (2 << 20) + b'y'])
def test_it_is_the_sha256_of_all_of_a_file(tmp_path, content):
    path = tmp_path / 'file'
    path.write_bytes(content)
    assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / 'none')
