"""Serve the annotation page from a checkout: the same as ``ovsam app``."""

import sys

from ovsam.commands.app import main

if __name__ == '__main__':
    sys.exit(main())
