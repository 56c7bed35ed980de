"""The annotation page: what a session does, without a browser, and the page in front of it.

Only :mod:`~ovsam.app.page` needs Gradio (``pip install ovsam[app]``).
"""

from .annotated_object import AnnotatedObject
from .annotation import AnnotationSession
from .shared_model import SharedModel
from .uploads import UploadLimits

__all__ = ['AnnotatedObject', 'AnnotationSession', 'SharedModel', 'UploadLimits']
