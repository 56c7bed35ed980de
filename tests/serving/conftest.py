"""A model whose masks are known, what serves it, and pictures as files."""

import asyncio
import io
import threading
from contextlib import contextmanager

import pytest
from PIL import Image

from ovsam.serving.annotator import Annotator
from ovsam.serving.shared_model import SharedModel
from ovsam.serving.uploads import UploadLimits
from tests.apis.conftest import colour_model, model, scene
from tests.waiting import wait_until

__all__ = ['colour_model', 'model', 'scene']

ALL = dict(points_per_side=8, pred_iou_thresh=0.0, stability_score_thresh=0.0)
NAMES = ['cat', 'dog', 'umbrella']


@pytest.fixture
def annotator(colour_model):
    return Annotator(
        SharedModel(colour_model, vocabulary=NAMES), UploadLimits(1.0, 0.2, 50), everything=ALL
    )


@pytest.fixture(scope='session')
def file_of():
    """The PNG file of an image (H, W, 3)."""

    def save(image, kind='PNG'):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, kind)
        return buffer.getvalue()

    return save


@pytest.fixture
def ask():
    """Asks an application, without a network."""
    httpx = pytest.importorskip('httpx', reason='pip install ".[serve]"')

    def send(app, method, path, client=('203.0.113.7', 1), **kwargs):
        async def one():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=client)
            async with httpx.AsyncClient(transport=transport, base_url='http://server') as asking:
                return await asking.request(method, path, **kwargs)

        return asyncio.run(one())

    return send


@pytest.fixture
def running():
    """Serves an application on this machine for the time of a block; gives the port."""
    uvicorn = pytest.importorskip('uvicorn', reason='pip install ".[serve]"')

    @contextmanager
    def run(app):
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level='error'))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()

    return run
