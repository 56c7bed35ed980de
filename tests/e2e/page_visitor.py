"""The annotation page in headless Chromium, and the server behind it, for tests of both."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from pycocotools import mask as mask_utils

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / 'work_dirs' / 'app'
CHROMIUM = os.environ.get('OVSAM_CHROMIUM') or next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
# Seconds for one action; a busy machine needs more.
PATIENCE = float(os.environ.get('OVSAM_E2E_SECONDS', '150'))
ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']


class Server:
    """``ovsam app`` in a process of its own, with the small world's weights.

    Args:
        flags: Beside the device, which an export has none of; another model, if there is one.
        port: To serve at; any that is free if 0.

    Attributes:
        address: Of the page.
    """

    def __init__(self, *flags, port=0):
        tool = [sys.executable, '-W', 'ignore', '-m', 'ovsam_cli', 'app']
        tool += [] if '--onnx' in flags else ['--device', 'cpu']
        tool += [] if {'--onnx', '--model'} & set(flags) else ['--model', 'mini-interactive']
        PICTURES.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [*tool, '--port', str(port), *map(str, flags)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self._process.stdout.readline()
        assert 'http://' in line, f'the tool ended, or said: {line!r}'
        self.address = re.search(r'http://\S+', line)[0]

    @property
    def port(self):
        return int(re.search(r':(\d+)/', self.address)[1])

    def kill(self):
        """End it as a power cut does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        self._process.stdout.close()


@contextmanager
def serving(*flags, port=0):
    """A server for the time of a block."""
    server = Server(*flags, port=port)
    try:
        yield server
    finally:
        server.kill()


class Visitor:
    """A browser tab of a person of their own, who waits until each thing is done.

    Args:
        browser: Of playwright.
        address: Of the page.
        tokens: What the person enters, one after the other, when the server wants its token.
        **context: Of playwright's ``new_context``.
    """

    def __init__(self, browser, address, tokens=(), **context):
        self.context = browser.new_context(
            viewport={'width': 1280, 'height': 800}, accept_downloads=True, **context
        )
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.foreign, self.faults = [], []
        origin = re.match(r'http://[^/]+', address)[0]
        self.page.on(
            'request',
            lambda request: (
                request.url.startswith((origin, 'data:', 'blob:'))
                or self.foreign.append(request.url)
            ),
        )
        self.page.on('pageerror', lambda error: self.faults.append(str(error)))
        self.page.goto(address)
        for token in tokens:
            self.page.locator('#token').fill(token)
            self.page.locator('#token').press('Enter')
        self.idle()

    def reload(self):
        self.page.reload()
        self.idle()

    def close(self):
        """Nothing went wrong in the page, and it asked nobody else."""
        self.context.close()
        assert self.foreign == [] and self.faults == []

    def idle(self):
        """Wait until nothing is computed, and until what is to be drawn is."""
        self.page.locator('body[data-ready=true][data-busy="0"]').wait_for()
        self.page.evaluate('() => new Promise((done) => requestAnimationFrame(done))')

    def said(self):
        self.idle()
        return self.page.locator('#status').inner_text()

    def says(self, pattern):
        said = self.said()
        assert re.search(pattern, said), f'the page says {said!r}, not {pattern!r}'

    def press(self, name):
        self.page.locator(f'#{name}').click()
        self.idle()

    def key(self, *keys):
        for each in keys:
            self.page.keyboard.press(each)
        self.idle()

    def tool(self, name):
        self.page.locator(f'[data-tool={name}]').click()

    def write(self, where, text):
        self.page.locator(f'#{where}').fill(text)
        self.page.locator(f'#{where}').press('Enter')
        self.idle()

    def choose(self, name):
        self.page.locator('#pictures').select_option(label=name)
        self.says(re.escape(name))

    def place(self, x, y):
        """Where a place of the picture, in shares of its size, is on the screen."""
        box = self.page.locator('#picture').bounding_box()
        return box['x'] + x * box['width'], box['y'] + y * box['height']

    def click(self, x, y, key=None):
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.click(*self.place(x, y))
        if key:
            self.page.keyboard.up(key)
        self.idle()

    def drag(self, *places):
        self.start_drag(*places)
        self.idle()

    def start_drag(self, *places):
        """Without waiting for what it does."""
        start, *others = (self.place(*each) for each in places)
        self.page.mouse.move(*start)
        self.page.mouse.down()
        for each in others:
            self.page.mouse.move(*each, steps=5)
        self.page.mouse.up()

    @contextmanager
    def holding(self, requests):
        """Such requests have no answer until the block ends; then wait until all is done."""
        held, done = [], False
        self.page.route(requests, lambda route: route.continue_() if done else held.append(route))
        yield
        done = True
        for each in held:
            each.continue_()
        self.idle()
        self.page.unroute(requests)

    def title(self):
        return self.page.locator('#title').inner_text()

    def rows(self):
        """The objects' names with their scores, as the list has them."""
        self.idle()
        return self.page.locator('#objects .name').all_inner_texts()

    def names(self):
        """The objects' names."""
        return [re.sub(r' [\d.]+( \?)?$', '', row) for row in self.rows()]

    def upload(self, *files):
        self.page.locator('#upload').set_input_files(files)
        self.idle()

    def export(self, kind, path):
        """Export in a format and save the file."""
        self.page.locator('#format').select_option(kind)
        with self.page.expect_download() as download:
            self.press('export')
        download.value.save_as(path)
        return download.value.suggested_filename

    def picture(self, name):
        self.page.screenshot(path=PICTURES / f'{name}.png')


def masks_of(path):
    """The masks (H, W) bool of a COCO file, with their names."""
    content = json.loads(path.read_text('utf-8'))
    return [
        (each['category_name'], mask_utils.decode(each['segmentation']) > 0)
        for each in content['annotations']
    ]


needs_browser = pytest.mark.skipif(
    CHROMIUM is None,
    reason='there is no Chromium: apt install chromium, or '
    'name a browser of its kind in OVSAM_CHROMIUM',
)
