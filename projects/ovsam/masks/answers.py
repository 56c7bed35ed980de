"""The old path of the choice among masks, which the zoomed pass still imports."""

from ..parts.mask_decoder import FirstMask, choose_masks

__all__ = ['FirstMask', 'choose_masks']
