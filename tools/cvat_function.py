"""CVAT's auto-annotation from a checkout: ``cvat-cli task auto-annotate --function-file``."""

from ovsam.serving.cvat import create

__all__ = ['create']
