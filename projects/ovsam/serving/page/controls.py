"""The buttons, fields and lists of the annotation page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ...apis.exports import EXPORTS
from ...vocabulary.packs import PACKS

HEADERS = ['#', 'name', 'score', 'alternatives', 'quality', 'stability', 'pixels']


def build_controls(samples: Sequence[str], *, names: bool) -> dict[str, Any]:
    """What stands beside the picture, within Gradio's present column.

    Args:
        samples: Names of pictures that may be chosen.
        names: Whether the model names.
    """
    made: dict[str, Any] = {}
    with gr.Row():
        made['upload'] = gr.UploadButton('Open picture', file_types=['image'], elem_id='upload')
        made['import'] = gr.UploadButton('Go on from COCO', file_types=['.json'], elem_id='import')
    if samples:
        made['sample'] = gr.Dropdown(list(samples), value=None, label='Sample', elem_id='sample')
    if names:
        with gr.Row():
            made['vocabulary'] = gr.Textbox(
                label='Vocabulary',
                lines=1,
                max_lines=3,
                scale=3,
                elem_id='vocabulary',
                placeholder='cat, dog, umbrella; or a pack',
                info='Packs: ' + ', '.join(PACKS),
            )
            made['apply'] = gr.Button('Use these names', scale=1, elem_id='apply')
        with gr.Row():
            made['text'] = gr.Textbox(
                label='Find', placeholder='a red cat', scale=3, elem_id='text'
            )
            made['threshold'] = gr.Slider(
                0, 1, 0.3, step=0.05, label='Least score', scale=2, elem_id='threshold'
            )
            made['find'] = gr.Button('Find', scale=1, elem_id='find')
    made['everything'] = gr.Button('Everything', elem_id='everything')
    made['objects'] = gr.Dataframe(
        headers=HEADERS,
        datatype=['number', 'str', 'number', 'str', 'number', 'number', 'number'],
        label='Objects (click a row to choose)',
        interactive=False,
        type='array',
        elem_id='objects',
        wrap=True,
    )
    with gr.Row():
        made['name'] = gr.Dropdown(
            [],
            label='Name of the chosen object',
            scale=3,
            allow_custom_value=True,
            elem_id='name',
        )
        made['rename'] = gr.Button('Rename', scale=1, elem_id='rename')
        made['delete'] = gr.Button('Delete', scale=1, elem_id='delete')
    with gr.Row():
        for name in ('Undo', 'Redo', 'Clear'):
            made[name.lower()] = gr.Button(name, elem_id=name.lower())
    with gr.Row():
        made['format'] = gr.Radio(
            list(EXPORTS), value='coco', label='Format', scale=3, elem_id='format'
        )
        made['export'] = gr.Button('Export', scale=1, elem_id='export')
    made['file'] = gr.File(label='Exported file', interactive=False, elem_id='file')
    return made
