"""Look at vocabularies, write and embed them from a checkout: the same as ``ovsam vocabulary``."""

import sys

from ovsam.commands.vocabulary import main

if __name__ == '__main__':
    sys.exit(main())
