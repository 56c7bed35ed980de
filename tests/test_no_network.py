"""The guard of :mod:`tests.session`: this machine can be reached, others cannot."""

import socket
import subprocess
import sys
from urllib.request import urlopen

import pytest

NOWHERE = '192.0.2.1'  # kept free for documentation (RFC 5737)


def test_this_machine_can_be_reached():
    with socket.create_server(('127.0.0.1', 0)) as server:
        with socket.create_connection(('localhost', server.getsockname()[1]), timeout=60):
            pass


@pytest.mark.parametrize('method', ['connect', 'connect_ex'])
def test_others_are_refused(method):
    with socket.socket() as mine, pytest.raises(OSError, match=f"asked for '{NOWHERE}'"):
        getattr(mine, method)((NOWHERE, 80))


def test_names_are_not_looked_up():
    with pytest.raises(OSError, match="tests use no network, but this one asked for 'example.org'"):
        socket.create_connection(('example.org', 80))


def test_downloads_are_refused():
    with pytest.raises(OSError):
        urlopen('http://example.org/')


def test_other_interpreters_get_a_proxy_that_is_not_there():
    code = "from urllib.request import urlopen; urlopen('http://example.org/')"
    found = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert found.returncode == 1 and 'Connection refused' in found.stderr
