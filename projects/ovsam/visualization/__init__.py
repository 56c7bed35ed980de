"""Pictures of what a model found."""

from .draw import contact_sheet, draw_segments
