"""Fetch published weights from a checkout: the same as ``ovsam download``."""

import sys

from ovsam.commands.download import main

if __name__ == '__main__':
    sys.exit(main())
