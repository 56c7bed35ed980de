"""Where things are kept that can be made again at any time."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$OVSAM_CACHE``, else ``$XDG_CACHE_HOME/ovsam``, else ``~/.cache/ovsam``; may not exist."""
    own = os.environ.get('OVSAM_CACHE')
    if own:
        return Path(own).expanduser()
    shared = os.environ.get('XDG_CACHE_HOME')
    return (Path(shared) if shared else Path.home() / '.cache') / 'ovsam'
