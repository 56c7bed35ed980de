"""Write a model as ONNX graphs from a checkout: the same as ``ovsam export``."""

import sys

from ovsam.commands.export import main

if __name__ == '__main__':
    sys.exit(main())
