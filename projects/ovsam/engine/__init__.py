"""Hooks and the like for mmengine's runner."""

from torch import distributed

from .bfloat16_optim_wrapper import BFloat16OptimWrapper
from .draw_segments_hook import DrawSegmentsHook
from .init_weights_hook import InitWeightsHook
from .require_teacher_features_hook import RequireTeacherFeaturesHook

if distributed.is_available():  # in nearly all builds of torch
    from .sharded_strategy import ShardedStrategy
