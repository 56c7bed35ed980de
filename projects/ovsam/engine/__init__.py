"""Hooks for mmengine's runner."""
from .draw_segments_hook import DrawSegmentsHook
from .init_weights_hook import InitWeightsHook

__all__ = ['DrawSegmentsHook', 'InitWeightsHook']
