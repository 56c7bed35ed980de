"""Several configs on the same data: their figures, their cost and their pictures side by side."""
from .methods import Method, collect_methods
from .metrics_section import metrics_section
from .record import Record, make_record
from .report import csv_table, markdown_section
from .scenes import draw_scenes, scene_sheet

__all__ = ['Method', 'Record', 'collect_methods', 'csv_table', 'draw_scenes',
           'make_record', 'markdown_section', 'metrics_section', 'scene_sheet']
