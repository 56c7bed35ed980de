"""What the client's list of models has, and how a failure is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...utils.wording import listed
from ...version import __version__

# Existing shapes are kept: also where an older client ignores "replace" in answers.
KEEP = {'name': 'toggle_preserve_existing_annotations', 'value': True}
MARKS = ('button_add_point', 'button_remove_point', 'button_add_rect', 'button_clear')
FINENESS = ({'name': 'mask_fineness_slider', 'value': 10}, {'name': 'mask_fineness_value_label'})


def _entry(title: str, widgets: Sequence[Mapping[str, Any]], batch: str | None) -> dict[str, Any]:
    """What the client's list of models has.

    Args:
        title: What the user reads.
        widgets: What the client shows, with its values.
        batch: How the client runs it on all pictures, or None if it cannot.
    """
    return {
        'display_name': title,
        'widgets': [{'value': None, **each} for each in (*widgets, *FINENESS, KEEP)],
        'params': {'version': __version__},
        'batch_processing_mode': batch,
    }


ENTRIES = {
    'ovsam': _entry('OVSAM: click or box, named', [{'name': name} for name in MARKS], None),
    'ovsam-correct': _entry(
        'OVSAM: click, correct, finish',
        [{'name': name} for name in (*MARKS, 'button_finish_object')],
        None,
    ),
    'ovsam-find': _entry(
        'OVSAM: find by words',
        [
            {'name': 'edit_text', 'placeholder': 'cat, traffic light'},
            {'name': 'button_send'},
            {'name': 'input_conf'},
            {'name': 'edit_conf', 'value': 0.3},
        ],
        'text_prompt',
    ),
    'ovsam-everything': _entry(
        'OVSAM: everything',
        [{'name': 'button_run'}, {'name': 'input_conf'}, {'name': 'edit_conf', 'value': 0.0}],
        'default',
    ),
}


def failure(code: str, message: str) -> dict[str, Any]:
    """What X-AnyLabeling-Server answers when it fails, with nothing for the client to change.

    The client reads ``data`` without looking at ``success``, and replaces all shapes of the image
    unless told otherwise.
    """
    return {
        'success': False,
        'error': {'code': code, 'message': message},
        'data': {'shapes': [], 'description': '', 'replace': False},
    }


def unknown_message(name: object) -> str:
    """What is said of a model that is not in the list."""
    return f'there is no model {name!r} here, but {listed(ENTRIES)}'
