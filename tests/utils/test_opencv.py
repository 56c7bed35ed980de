"""OpenCV without its system libraries gives advice instead of a riddle."""

import sys

import pytest

from ovsam.utils.opencv import require_opencv


def test_installed_opencv_passes():
    require_opencv()
    assert 'cv2' in sys.modules


def test_missing_opencv_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv2', None)
    with pytest.raises(ImportError, match='pip install opencv-python-headless'):
        require_opencv()
