"""Segment and name what is in pictures from a checkout: the same as ``ovsam predict``."""

import sys

from ovsam.commands.predict import main

if __name__ == '__main__':
    sys.exit(main())
