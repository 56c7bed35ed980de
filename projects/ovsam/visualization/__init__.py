"""Pictures of what a model found."""

from .draw import contact_sheet, draw_segments, png

__all__ = ['contact_sheet', 'draw_segments', 'png']
