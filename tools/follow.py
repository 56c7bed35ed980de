"""Follow objects through a film from a checkout: the same as ``ovsam follow``."""

import sys

from ovsam.commands.follow import main

if __name__ == '__main__':
    sys.exit(main())
