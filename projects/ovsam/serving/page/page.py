"""The annotation page: Gradio in front of :class:`~.annotation.AnnotationSession`.

Needs Gradio (``pip install ovsam[app]``). Nothing is fetched from other machines, neither by the
server nor by the page.
"""

from __future__ import annotations

import os

os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'  # before Gradio is imported

import tempfile  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from functools import wraps  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402
from weakref import WeakKeyDictionary  # noqa: E402

import gradio as gr  # noqa: E402

from ..shared_model import SharedModel  # noqa: E402
from ..uploads import UploadLimits  # noqa: E402
from .annotated_object import AnnotatedObject  # noqa: E402
from .annotation import AnnotationSession  # noqa: E402
from .coco_file import summary  # noqa: E402
from .controls import build_controls  # noqa: E402

NEW, MORE, LESS, BOX = 'New object', 'More of it (+)', 'Less of it (−)', 'Box (two corners)'
WELCOME = 'Open a picture, or choose a sample.'
ENDED = 'The session had ended: open the picture again'
SESSION_SECONDS = 6 * 3600  # without an action
CSS = '#picture img {cursor: crosshair} footer {display: none !important}'


def system_theme() -> gr.themes.Base:
    """A theme of the fonts that the reader's machine has; none is fetched."""
    return gr.themes.Default(
        font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace']
    )


class AnnotationPage:
    """Builds the page; each visitor has a session of their own.

    Args:
        model: Shared by all visitors.
        samples: Pictures that they may choose.
        limits: Of what they may upload.
        everything: Settings of everything mode, in place of the model's.
    """

    def __init__(
        self,
        model: SharedModel,
        samples: Sequence[Path] = (),
        limits: UploadLimits | None = None,
        everything: dict | None = None,
    ) -> None:
        self._model = model
        self._samples = {path.name: path for path in samples}
        self._limits = limits or UploadLimits()
        self._everything = everything or {}
        # A visitor's last export; gone with the session.
        self._exports: WeakKeyDictionary[AnnotationSession, tempfile.TemporaryDirectory] = (
            WeakKeyDictionary()
        )

    def build(self) -> gr.Blocks:
        """The page, to be launched or mounted."""
        # Files that were made for visitors go after a day.
        with gr.Blocks(
            title='Open-Vocabulary SAM', analytics_enabled=False, delete_cache=(3600, 86400)
        ) as page:
            session = gr.State(None, time_to_live=SESSION_SECONDS)
            if self._model.notice:
                gr.Markdown(self._model.notice, elem_id='notice')
            with gr.Row():
                with gr.Column(scale=3):
                    picture = gr.Image(
                        label='Picture',
                        type='numpy',
                        format='png',
                        interactive=False,
                        elem_id='picture',
                        buttons=['fullscreen'],
                    )
                    click = gr.Radio(
                        [NEW, MORE, LESS, BOX], value=NEW, label='A click means', elem_id='click'
                    )
                    status = gr.Textbox(
                        WELCOME, label='Status', interactive=False, elem_id='status'
                    )
                with gr.Column(scale=2):
                    inputs = build_controls(list(self._samples), names=self._model.names)
            self._outputs = [session, picture, inputs['objects'], inputs['name'], status]
            self._connect(session, picture, click, inputs)
            page.load(
                lambda: AnnotationSession(self._model), None, session, api_visibility='private'
            )
        return page

    def _connect(
        self, session: gr.State, picture: gr.Image, click: gr.Radio, made: dict[str, Any]
    ) -> None:
        """Say what happens when."""

        def on(event: Callable, action: Callable, *inputs, begins: bool = False) -> None:
            event(
                self._act(action, begins=begins),
                [session, *inputs],
                self._outputs,
                show_progress='minimal',
                api_visibility='private',
            )

        # Quick clicks wait for each other; else Gradio drops those that come too early.
        picture.select(
            self._on_click,
            [session, click],
            self._outputs,
            show_progress='minimal',
            trigger_mode='multiple',
            api_visibility='private',
        )
        made['objects'].select(
            self._on_row,
            [session, made['objects']],
            self._outputs,
            show_progress='hidden',
            api_visibility='private',
        )
        on(made['upload'].upload, self._open, made['upload'], begins=True)
        on(made['import'].upload, self._load, made['import'])
        if 'sample' in made:
            on(made['sample'].input, self._open_sample, made['sample'], begins=True)
        if self._model.names:
            for event in (made['apply'].click, made['vocabulary'].submit):
                on(event, self._set_vocabulary, made['vocabulary'])
            for event in (made['find'].click, made['text'].submit):
                on(event, self._find, made['text'], made['threshold'])
        on(made['everything'].click, self._find_everything)
        on(made['rename'].click, self._rename, made['name'])
        on(made['delete'].click, self._delete)
        on(made['undo'].click, lambda mine: 'Undone' if mine.undo() else 'Nothing to undo')
        on(made['redo'].click, lambda mine: 'Done again' if mine.redo() else 'Nothing to redo')
        on(made['clear'].click, self._clear)
        made['export'].click(
            self._export, [session, made['format']], made['file'], api_visibility='private'
        )

    def _act(self, action: Callable, *, begins: bool = False) -> Callable:
        """An action on a session as what Gradio calls; bad input becomes a message.

        Where a session is gone (:data:`SESSION_SECONDS`, or the server was started anew), only an
        action that ``begins`` one goes on; any other would act on a picture that is not there.
        """

        @wraps(action)
        def handler(session, *args):
            if session is None:
                session = AnnotationSession(self._model)
                if not begins:
                    gr.Warning(ENDED)
                    return self._show(session, ENDED)
            try:
                said = action(session, *args)
            except (ValueError, RuntimeError, OSError) as error:
                said = f'Not done: {error}'
                gr.Warning(str(error))
            return self._show(session, said)

        return handler

    def _show(self, session: AnnotationSession, said: str) -> tuple:
        """What the page shows of a session."""
        picture = None if session.image is None else session.draw()[0]
        active = session.active
        choices = [name for name, _ in active.alternatives] if active else []
        label = f'Name of object {active.number}' if active else 'Name of the chosen object'
        name = gr.Dropdown(choices=choices, value=active.name if active else None, label=label)
        return session, picture, session.rows(), name, said

    def _on_click(self, session, meaning: str, event: gr.SelectData):
        x, y = event.index

        def action(mine: AnnotationSession) -> str:
            factor = mine.draw()[1]
            place = (x / factor, y / factor)
            if meaning == BOX:
                made = mine.add_corner(*place)
                return 'Click on the opposite corner' if made is None else _about(mine)
            if meaning == NEW:
                mine.start_object(*place)
            else:
                mine.add_point(*place, int(meaning == MORE))
            return _about(mine)

        return self._act(action)(session)

    def _on_row(self, session, rows: list, event: gr.SelectData):
        def action(mine: AnnotationSession) -> str:
            mine.select(int(rows[event.index[0]][0]))
            return _about(mine)

        return self._act(action)(session)

    def _open(self, session: AnnotationSession, path: str) -> str:
        session.open(self._limits.read_picture(path), Path(path).name)
        return f'{session.file_name}: click on an object'

    def _open_sample(self, session: AnnotationSession, name: str) -> str:
        if name not in self._samples:
            raise ValueError(f'there is no sample {name!r}')
        return self._open(session, str(self._samples[name]))

    def _load(self, session: AnnotationSession, path: str) -> str:
        objects, left_out, image = session.load_coco(self._limits.read_json(path))
        said = f'{_objects(len(objects))} of {image or session.file_name} from {Path(path).name}'
        if not left_out:
            return said
        gr.Warning(summary(left_out))
        return f'{said}; {summary(left_out)}'

    def _set_vocabulary(self, session: AnnotationSession, text: str) -> str:
        session.set_vocabulary(self._limits.parse_vocabulary(text or ''))
        return f'{len(session.vocabulary or ())} names'

    def _find(self, session: AnnotationSession, text: str, threshold: float) -> str:
        added = session.find(text or '', threshold, **self._everything)
        return f'{_objects(len(added))} of a score of {threshold:g} or more, for {text!r}'

    def _find_everything(self, session: AnnotationSession) -> str:
        return f'{_objects(len(session.add_everything(**self._everything)))} added'

    def _rename(self, session: AnnotationSession, name: str | None) -> str:
        session.rename(_chosen(session).number, str(name or ''))
        return _about(session)

    def _delete(self, session: AnnotationSession) -> str:
        number = _chosen(session).number
        session.delete(number)
        return f'Object {number} deleted'

    def _clear(self, session: AnnotationSession) -> str:
        session.clear()
        return 'All objects removed; undo brings them back'

    def _export(self, session, kind: str):
        try:
            if session is None:
                raise RuntimeError(ENDED)
            folder = tempfile.TemporaryDirectory(prefix='ovsam-export-')
            path = session.export(kind, Path(folder.name))
            self._exports[session] = folder
        except (ValueError, RuntimeError, OSError) as error:
            raise gr.Error(str(error)) from error
        return str(path)


def _about(session: AnnotationSession) -> str:
    active = _chosen(session)
    count = len(active.points)
    clicks = f', {count} click{"" if count == 1 else "s"}' if count else ''
    return f'Object {active.number}: {active.name} {active.score:.2f}{clicks}'


def _objects(count: int) -> str:
    return f'{count} object{"" if count == 1 else "s"}'


def _chosen(session: AnnotationSession) -> AnnotatedObject:
    if session.active is None:
        raise ValueError('choose an object first: click its row in the list')
    return session.active
