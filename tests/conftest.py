"""Test modules import mmdet, which needs the operators that importing ovsam provides."""

import ovsam  # noqa: F401
