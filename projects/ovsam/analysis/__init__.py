"""What a model costs: operations, parameters, memory and time, without any weights."""
from .complexity import PartComplexity, count_complexity
from .interaction import InteractionCost, measure_interaction
from .memory import MemoryUse, measure_memory
from .random_model import build_random_model
from .timing import Latency, measure_latency
from .training_step import StepCost, measure_training_step
from .vocabulary_cost import VocabularyCost, measure_vocabularies

__all__ = ['InteractionCost', 'Latency', 'MemoryUse', 'PartComplexity', 'StepCost',
           'VocabularyCost', 'build_random_model', 'count_complexity', 'measure_interaction',
           'measure_latency', 'measure_memory', 'measure_training_step', 'measure_vocabularies']
