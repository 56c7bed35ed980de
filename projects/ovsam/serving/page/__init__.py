"""The annotation page: what a session does, without a browser, and the page in front of it.

Only :mod:`~ovsam.serving.page.page` needs Gradio (``pip install ovsam[app]``).
"""

from .annotated_object import AnnotatedObject
from .annotation import AnnotationSession

__all__ = [
    'AnnotatedObject',
    'AnnotationSession',
]
