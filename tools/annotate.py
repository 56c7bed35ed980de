"""Annotate many pictures from a checkout: the same as ``ovsam annotate``."""

import sys

from ovsam.commands.annotate import main

if __name__ == '__main__':
    sys.exit(main())
