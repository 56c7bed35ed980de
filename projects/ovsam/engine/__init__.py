"""Hooks for mmengine's runner."""
from .draw_segments_hook import DrawSegmentsHook
from .init_weights_hook import InitWeightsHook
from .require_teacher_features_hook import RequireTeacherFeaturesHook

__all__ = ['DrawSegmentsHook', 'InitWeightsHook', 'RequireTeacherFeaturesHook']
