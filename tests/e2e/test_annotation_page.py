"""The annotation page in headless Chromium, as a person uses it; pictures go to work_dirs/app."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / 'work_dirs' / 'app'
CHROMIUM = os.environ.get('OVSAM_CHROMIUM') or next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
# Seconds for one action; a busy machine needs more.
PATIENCE = float(os.environ.get('OVSAM_E2E_SECONDS', '150'))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(30 * PATIENCE),
    pytest.mark.skipif(
        CHROMIUM is None,
        reason='there is no Chromium: apt install chromium, or '
        'name a browser of its kind in OVSAM_CHROMIUM',
    ),
]
pytest.importorskip('gradio', reason='the page needs Gradio: pip install "ovsam[app]"')
sync_api = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
pytest.importorskip('fonticon_mdi7', reason='the sample scenes need the pictograms')


@pytest.fixture(scope='module')
def address():
    """The page, served by the tool in a process of its own with the shipped weights."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            '-W',
            'ignore',
            str(ROOT / 'tools' / 'app.py'),
            '--port',
            str(port),
            '--max-megabytes',
            '0.3',
            '--points-per-side',
            '12',
            '--device',
            'cpu',
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert 'http://' in line, f'the tool ended, or said: {line!r}'
        yield re.search(r'http://\S+', line)[0]
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope='module')
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=PATIENCE * 1000,
            args=['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
        )
        yield opened
        opened.close()


class Visitor:
    """A browser tab of a person of their own."""

    def __init__(self, browser, address):
        self.context = browser.new_context(
            viewport={'width': 1400, 'height': 1000}, accept_downloads=True
        )
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.foreign = []
        self.page.on(
            'request',
            lambda request: (
                request.url.startswith((address, address.replace('http', 'ws'), 'data:', 'blob:'))
                or self.foreign.append(request.url)
            ),
        )
        self.page.goto(address)
        self.page.locator('#picture').wait_for()

    def upload(self, field, file, text):
        """Upload a file until the status says so: a page that is still building itself drops it."""
        for last in (False, False, False, True):
            field.set_input_files(file)
            try:
                return self.status(text, PATIENCE / 4)
            except AssertionError:
                if last:
                    raise

    def status(self, text, patience=PATIENCE):
        """Wait until the status says so."""
        box = self.page.locator('#status textarea, #status input').first
        end = time.time() + patience
        while time.time() < end:
            said = box.input_value()
            if re.search(text, said):
                return said
            time.sleep(0.1)
        raise AssertionError(f'the status is {box.input_value()!r}, not {text!r}')

    def sample(self, name):
        box = self.page.locator('#sample input')
        box.click()
        self.page.get_by_role('option', name=name).click()
        self.status(name)
        self.page.locator('#picture img').wait_for()

    def press(self, name):
        self.page.locator(f'button#{name}, #{name} button').first.click()

    def mean(self, choice):
        self.page.locator('#click').get_by_text(choice, exact=True).click()

    def click(self, x, y):
        """Click on the picture, at shares of its width and height."""
        image = self.page.locator('#picture img')
        box = image.bounding_box()
        image.click(position={'x': x * box['width'], 'y': y * box['height']})

    def write(self, where, text):
        self.page.locator(f'#{where} textarea, #{where} input').first.fill(text)

    def rows(self):
        """Texts of the list's cells, row by row."""
        rows: dict[int, dict[int, str]] = {}
        for cell in self.page.locator('#objects [data-testid^="cell-"]').all():
            row, column = map(int, cell.get_attribute('data-testid').split('-')[1:])
            rows.setdefault(row, {})[column] = cell.inner_text().strip()
        texts = [[text for _, text in sorted(rows[row].items())] for row in sorted(rows)]
        return [row for row in texts if any(row)]

    def export(self, kind, path):
        """Export in a format and save the file."""
        self.page.locator('#format').get_by_text(kind, exact=True).click()
        self.press('export')
        link = self.page.locator(f'#file a[href$="{path.suffix}"]').first
        link.wait_for()
        with self.page.expect_download() as download:
            link.click()
        download.value.save_as(path)

    def picture(self, name):
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f'{name}.png', full_page=True)


@pytest.fixture
def visitor(browser, address):
    made = Visitor(browser, address)
    yield made
    made.context.close()
    assert made.foreign == []


def test_point_correct_name_undo_and_save(visitor, tmp_path):
    visitor.sample('scene_0.png')
    visitor.click(0.78, 0.56)  # on the comment
    visitor.status('^Object 1: .*, 1 click$')
    visitor.mean('More of it (+)')
    visitor.click(0.7, 0.47)
    visitor.status('^Object 1: .*, 2 clicks$')
    visitor.mean('Less of it (−)')
    visitor.click(0.6, 0.95)  # beside it
    visitor.status('^Object 1: .*, 3 clicks$')
    visitor.mean('Box (two corners)')
    visitor.click(0.01, 0.1)  # around the tortoise
    visitor.status('opposite corner')
    visitor.click(0.6, 0.56)
    visitor.status('^Object 2: ')
    assert len(visitor.rows()) == 2
    visitor.picture('clicks')
    visitor.page.locator('#name input').fill('my thing')
    visitor.page.locator('#name input').press('Enter')
    visitor.press('rename')
    visitor.status('^Object 2: my thing 1.00')
    visitor.picture('renamed')
    visitor.press('delete')
    visitor.status('Object 2 deleted')
    visitor.press('undo')
    visitor.status('Undone')
    assert len(visitor.rows()) == 2
    visitor.press('redo')
    visitor.status('Done again')
    assert len(visitor.rows()) == 1
    visitor.press('undo')
    visitor.status('Undone')
    visitor.export('yolo', tmp_path / 'yolo.zip')
    with zipfile.ZipFile(tmp_path / 'yolo.zip') as archive:
        assert {'data.yaml', 'images/scene_0.png', 'labels/scene_0.txt'} <= set(archive.namelist())
        labels = archive.read('labels/scene_0.txt').decode().splitlines()
        assert 'my thing' in archive.read('data.yaml').decode()
    assert [line.split()[0] for line in labels] == ['0', '1']
    assert all(0 <= float(share) <= 1 for line in labels for share in line.split()[1:])
    path = tmp_path / 'coco.json'
    visitor.export('coco', path)
    content = json.loads(path.read_text(encoding='utf-8'))
    assert [a['category_name'] for a in content['annotations']][1] == 'my thing'
    visitor.press('clear')
    visitor.status('removed')
    visitor.page.locator('input[type=file]').nth(1).set_input_files(path)
    visitor.status('2 objects of ')
    assert len(visitor.rows()) == 2
    visitor.picture('imported')


def test_everything_vocabulary_and_find(visitor):
    visitor.sample('scene_1.png')
    visitor.press('everything')
    visitor.status(r'^[1-9]\d* objects? added')
    before = visitor.rows()
    visitor.picture('everything')
    visitor.write('vocabulary', 'sun, moon')
    visitor.press('apply')
    visitor.status('^2 names')
    assert {row[1] for row in visitor.rows()} <= {'sun', 'moon'} and len(before) > 0
    visitor.press('clear')
    visitor.status('removed')
    visitor.write('vocabulary', 'sun, moon, trumpet, watch')
    visitor.press('apply')
    visitor.status('^4 names')
    visitor.write('text', 'whistle')  # the scene holds one
    visitor.press('find')
    visitor.status(r"^[1-9]\d* objects? of a score of 0.3 or more, for 'whistle'")
    assert {row[1] for row in visitor.rows()} == {'whistle'}
    visitor.picture('find')


def test_two_people_do_not_see_each_other(browser, address, visitor):
    other = Visitor(browser, address)
    visitor.sample('scene_0.png')
    other.sample('scene_2.png')
    visitor.click(0.5, 0.5)
    visitor.status('^Object 1: ')
    assert len(visitor.rows()) == 1 and other.rows() == []
    other.click(0.3, 0.3)
    other.status('^Object 1: ')
    other.press('undo')
    other.status('Undone')
    assert len(visitor.rows()) == 1
    other.context.close()
    assert other.foreign == []


def test_bad_uploads_are_refused_in_words(visitor, tmp_path):
    upload = visitor.page.locator('input[type=file]').first
    text = tmp_path / 'text.jpg'
    text.write_text('no picture')
    visitor.upload(upload, text, 'text.jpg is not a picture')
    noise = tmp_path / 'noise.png'
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (400, 400, 3), dtype=np.uint8)).save(
        noise
    )
    upload.set_input_files(noise)
    visitor.page.get_by_text(re.compile('size|large|MB', re.I)).first.wait_for()
    visitor.picture('too_large')
    small = tmp_path / 'small.png'
    Image.new('RGB', (64, 64), 'white').save(small)
    upload.set_input_files(small)
    visitor.status('small.png')
