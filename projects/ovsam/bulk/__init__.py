"""Labels any number of images, in one process or on a Ray cluster; see docs/annotating.md."""

from .annotator import Annotator
from .job import Job, begin
from .run import Summary, run_job
