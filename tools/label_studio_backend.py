"""Serve the ML backend for Label Studio from a checkout: the same as ``ovsam serve``."""

import sys

from ovsam.commands.serve import main

if __name__ == '__main__':
    sys.exit(main())
