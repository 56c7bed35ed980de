"""Waiting for a sign of another process or thread: never for a time that should be enough."""

import time

LIMIT = 200  # seconds; only to end a test that would hang


def wait_until(condition, process=None):
    """Wait until a function returns something true; fail if the process ends before."""
    end = time.monotonic() + LIMIT
    while not condition():
        if process is not None and process.poll() is not None and not condition():
            raise AssertionError(f'it ended: {process.communicate()[0][-3000:]}')
        assert time.monotonic() < end, f'no sign within {LIMIT} s'
        time.sleep(0.05)


def wait_for_file(path):
    """Wait until a file is there."""
    wait_until(path.exists)
