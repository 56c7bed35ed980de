"""Labels as many images as there are, by as many processes as there are.

Processes share a folder and nothing else: each takes a share of the images, and takes over the
share of one that has died. See ``docs/bulk-labelling.md``.
"""

from .annotator import Annotator
from .claims import Claims
from .image_source import ImageSource
from .job import Job, Plan, begin
from .merge import Summary, merge
from .run import run_job
from .worker import Worker

__all__ = [
    'Annotator',
    'Claims',
    'ImageSource',
    'Job',
    'Plan',
    'Summary',
    'Worker',
    'begin',
    'merge',
    'run_job',
]
