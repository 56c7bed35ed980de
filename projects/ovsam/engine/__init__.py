"""Hooks for mmengine's runner."""
from .init_weights_hook import InitWeightsHook

__all__ = ['InitWeightsHook']
