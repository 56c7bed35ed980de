"""Measure what a model costs from a checkout: the same as ``ovsam benchmark``."""

import sys

from ovsam.commands.benchmark import main

if __name__ == '__main__':
    sys.exit(main())
