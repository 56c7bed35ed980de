"""What mmengine writes as JSON: ``vis_data/scalars.json``, and the metrics of a test."""

from __future__ import annotations

from typing import Any, TextIO

from mmengine.fileio import register_handler
from mmengine.fileio.handlers import JsonHandler

from ..utils.files import json_text


class MetricsHandler(JsonHandler):
    """Writes objects with ``null`` where a metric has no value; mmengine writes NaN, no JSON.

    Lists stay as mmengine writes them: they are detections, which pycocotools reads back, and it
    can sort by a score that is NaN.
    """

    def dump_to_fileobj(self, obj: Any, file: TextIO, **kwargs: Any) -> None:
        """See mmengine."""
        file.write(self.dump_to_str(obj, **kwargs))

    def dump_to_str(self, obj: Any, **kwargs: Any) -> str:
        """See mmengine."""
        write = json_text if isinstance(obj, dict) else super().dump_to_str
        return write(obj, **kwargs)


def write_metrics_as_json() -> None:
    """Let mmengine write what any reader of JSON takes, in this process."""
    register_handler('json')(MetricsHandler)
