"""What the page asks for beside the JSON API: pictures, what is kept of them, and files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles

from ..annotator import Annotator
from ..server.turns import Turns
from .coco_file import annotations_of
from .picture_folder import PictureFolder
from .records import (
    Imported,
    Kept,
    KeptPicture,
    ListedPictures,
    OpenedPicture,
    ToExport,
    ToImport,
)
from .results import exported

# The browser refuses, and does not even ask for, what is on other machines.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    'Content-Security-Policy': POLICY,
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache',
}


class PageFiles(StaticFiles):
    """The page's own files, with leave to ask this server only."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / 'static', html=True)

    async def get_response(self, path: str, scope) -> Response:
        """See starlette."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def page_api(annotator: Annotator, turns: Turns, pictures: PictureFolder) -> APIRouter:
    """The routes below ``/api/page``; the turns are of all that is served with this model."""
    router = APIRouter(prefix='/api/page', include_in_schema=False)

    def opened(name: str) -> OpenedPicture:
        content = annotator.limits.read_file(pictures.file(name))
        key, image = annotator.send(content, Path(name).name)
        height, width = image.original
        kept = pictures.kept(name) or KeptPicture(size=image.original)
        if kept.size == image.original[::-1] != image.original:
            # Perhaps of a program that does not turn pictures as EXIF says.
            key, image = annotator.send(content, Path(name).name, kept.size)
            height, width = image.original
        if kept.size != image.original:
            raise ValueError(
                f'{name} has {width} x {height} pixels, but what was kept of it is for '
                f'{kept.size[1]} x {kept.size[0]}: put the old picture back, or give another --out'
            )
        return OpenedPicture(
            image=key,
            width=width,
            height=height,
            objects=kept.objects,
            done=kept.done,
            version=kept.version,
        )

    def put(name: str, kept: KeptPicture) -> Kept:
        pictures.keep(name, kept)
        return Kept(version=(pictures.kept(name) or kept).version)

    def imported(asked: ToImport) -> Imported:
        size = asked.size
        if min(size) < 1 or size[0] * size[1] > annotator.limits.megapixels * 1e6:
            raise ValueError(f'a picture of {size[1]} x {size[0]} pixels cannot be open')
        return annotations_of(asked.content, asked.file_name, size)

    def export(asked: ToExport) -> Response:
        pixels = annotator.picture(asked.image).image.pixels
        name, content = exported(asked.kind, pixels, asked.file_name, asked.objects)
        kind = f"attachment; filename*=UTF-8''{quote(name)}"
        return Response(content, headers={'Content-Disposition': kind})

    @router.get('/pictures')
    async def listed() -> ListedPictures:
        return ListedPictures(pictures=pictures.pictures(), kept=pictures.out is not None)

    @router.post('/open')
    async def open_picture(name: str, request: Request) -> OpenedPicture:
        return await turns.run(request, opened, name)

    @router.put('/kept')
    async def keep(name: str, kept: KeptPicture) -> Kept:
        # Not in the model's turn: it waits for nobody, and is not dropped with a closed tab.
        return await run_in_threadpool(put, name, kept)

    @router.post('/import')
    async def load(asked: ToImport) -> Imported:
        return await run_in_threadpool(imported, asked)

    @router.post('/export')
    async def save(asked: ToExport) -> Response:
        return await run_in_threadpool(export, asked)

    return router
