"""Convert checkpoints from a checkout: the same as ``ovsam convert``."""

import sys

from ovsam.commands.convert import main

if __name__ == '__main__':
    sys.exit(main())
