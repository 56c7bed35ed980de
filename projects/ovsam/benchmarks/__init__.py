"""Cost, time and memory of models, and methods side by side."""

from .complexity import PartComplexity, count_complexity
from .interaction import InteractionCost, measure_interaction
from .memory import MemoryUse, measure_memory
from .methods import Method, collect_methods
from .metrics_section import metrics_section
from .random_model import build_random_model
from .record import Record, make_record
from .report import csv_table, markdown_section
from .scenes import draw_scenes, scene_sheet
from .timing import Latency, measure_latency
from .training_step import StepCost, measure_training_step
from .vocabulary_cost import VocabularyCost, measure_vocabularies

__all__ = [
    'InteractionCost',
    'Latency',
    'MemoryUse',
    'Method',
    'PartComplexity',
    'Record',
    'StepCost',
    'VocabularyCost',
    'build_random_model',
    'collect_methods',
    'count_complexity',
    'csv_table',
    'draw_scenes',
    'make_record',
    'markdown_section',
    'measure_interaction',
    'measure_latency',
    'measure_memory',
    'measure_training_step',
    'measure_vocabularies',
    'metrics_section',
    'scene_sheet',
]
