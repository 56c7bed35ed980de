"""The annotation page in headless Chromium, as a person uses it; pictures go to work_dirs/app."""

import json
import urllib.error
import urllib.request
import zipfile

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

sync_api = pytest.importorskip('playwright.sync_api', reason='pip install playwright')
pytest.importorskip('fastapi', reason='the page needs a web server: pip install "ovsam[app]"')
pytest.importorskip(
    'skimage', reason='the photograph is of scikit-image: pip install "ovsam[demo]"'
)
pytest.importorskip('fonticon_mdi7', reason='the sample scenes need the pictograms')

from ovsam.serving.page.samples import draw_samples
from tests.e2e.page_visitor import (
    ARGUMENTS,
    CHROMIUM,
    PATIENCE,
    PICTURES,
    Server,
    Visitor,
    needs_browser,
    serving,
)
from tools.demo_photographs import photograph

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30 * PATIENCE), needs_browser]


@pytest.fixture(scope='module')
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, timeout=PATIENCE * 1000, args=ARGUMENTS
        )
        yield opened
        opened.close()


@pytest.fixture(scope='module')
def address():
    """The page with the samples, served by the tool with the shipped weights."""
    with serving('--points-per-side', 12, '--max-megabytes', 3, '--max-megapixels', 13) as server:
        yield server.address


@pytest.fixture
def visitor(browser, address):
    made = Visitor(browser, address)
    yield made
    made.close()


def masks_of(path):
    """The masks (H, W) bool of a COCO file, with their names."""
    content = json.loads(path.read_text('utf-8'))
    return [
        (each['category_name'], mask_utils.decode(each['segmentation']) > 0)
        for each in content['annotations']
    ]


def test_click_correct_name_undo_and_save(visitor, tmp_path):
    visitor.says('Open a picture')
    visitor.choose('scene_0.png')
    visitor.click(0.78, 0.56)  # on the comment
    visitor.says('^Object 1: .*, 1 click$')
    visitor.click(0.7, 0.47, 'Shift')
    visitor.says('^Object 1: .*, 2 clicks$')
    visitor.click(0.6, 0.95, 'Alt')  # beside it
    visitor.says('^Object 1: .*, 3 clicks$')
    visitor.drag((0.01, 0.1), (0.6, 0.56))  # around the tortoise
    visitor.says('^Object 2: tortoise')
    visitor.picture('clicks')
    alternatives = visitor.page.locator('#names span:not(.score)').all_inner_texts()
    visitor.key('2')
    assert len(alternatives) == 5 and visitor.names()[1] == alternatives[1]
    visitor.key('n')
    visitor.write('name', '  my   <b>thing</b> ')
    assert visitor.names()[1] == 'my <b>thing</b>'
    visitor.key('Backspace')
    visitor.says('Object 2 deleted')
    visitor.key('Control+z')
    assert len(visitor.rows()) == 2
    visitor.key('Control+y')
    assert len(visitor.rows()) == 1
    visitor.key('Control+z', 'Control+z')
    assert visitor.names()[1] == alternatives[1]
    visitor.key('Control+Shift+z', '.', '.', 'Enter')
    visitor.says('my <b>thing</b> it is')
    assert visitor.page.locator('#chosen').is_hidden()
    visitor.key('Backspace')
    visitor.says('Choose an object first')
    visitor.tool('less')
    visitor.click(0.5, 0.5)
    visitor.says('choose one first')

    assert visitor.export('yolo', tmp_path / 'yolo.zip') == 'scene_0_yolo.zip'
    with zipfile.ZipFile(tmp_path / 'yolo.zip') as archive:
        assert {'data.yaml', 'images/scene_0.png', 'labels/scene_0.txt'} <= set(archive.namelist())
        assert 'my <b>thing</b>' in archive.read('data.yaml').decode()
    visitor.export('masks', tmp_path / 'masks.zip')
    path = tmp_path / 'coco.json'
    visitor.export('coco', path)
    assert [name for name, _ in masks_of(path)] == visitor.names()
    visitor.press('clear')
    visitor.says('removed')
    visitor.page.locator('#import').set_input_files(path)
    visitor.says('^2 objects of scene_0.png from coco.json$')
    assert len(visitor.rows()) == 2
    path.write_text('no JSON')
    visitor.page.locator('#import').set_input_files(path)
    visitor.says('coco.json is not a JSON file')


def test_quick_presses_are_not_lost(visitor):
    visitor.choose('scene_0.png')
    for place in ((0.78, 0.56), (0.3, 0.5), (0.9, 0.3), (0.15, 0.8)):
        visitor.page.mouse.click(*visitor.place(*place))
    visitor.page.keyboard.press('Control+z')
    visitor.page.keyboard.press('e')
    visitor.page.keyboard.press('Control+z')
    visitor.idle()
    numbers = visitor.page.locator('#objects button').all_inner_texts()
    assert [row.split()[0] for row in numbers] == ['1', '2', '3']


def test_everything_vocabulary_and_find(visitor):
    visitor.choose('scene_1.png')
    visitor.key('e')
    visitor.says(r'^[1-9]\d* objects? added')
    visitor.picture('everything')
    doubtful = visitor.page.locator('#objects .doubtful .name').all_inner_texts()
    low = [row for row in visitor.rows() if row.endswith('?')]
    assert low == doubtful and all(float(row.split()[-2]) < 0.3 for row in low)
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^2 names')
    assert set(visitor.names()) <= {'sun', 'moon'}
    for text, said in (('cocoo', 'no pack "cocoo"'), ('coco+cocoo', "no pack 'cocoo'")):
        visitor.write('vocabulary', text)
        visitor.says(said)
    visitor.press('clear')
    visitor.write('vocabulary', 'sun, moon, trumpet, watch')
    visitor.says('^4 names')
    visitor.write('text', 'whistle')  # the scene holds one
    visitor.says('^[1-9] objects? of a score of 0.3 or more, for "whistle"')
    assert set(visitor.names()) == {'whistle'}
    visitor.write('text', ' ')
    visitor.says('Say what to find')
    visitor.reload()
    assert set(visitor.names()) == {'whistle'}
    assert visitor.page.locator('#vocabulary').input_value() == 'sun, moon, trumpet, watch'


def test_two_people_do_not_see_each_other(browser, address, visitor):
    other = Visitor(browser, address)
    visitor.choose('scene_0.png')
    other.choose('scene_0.png')
    visitor.click(0.78, 0.56)
    assert len(visitor.rows()) == 1 and other.rows() == []
    other.write('vocabulary', 'sun, moon')
    other.click(0.78, 0.56)
    assert set(other.names()) <= {'sun', 'moon'}
    other.key('Control+z')
    other.reload()
    visitor.reload()
    assert len(visitor.rows()) == 1 and other.rows() == []
    other.close()


def test_a_name_that_was_made_to_lead_here_is_refused(address):
    asked = urllib.request.Request(address, headers={'Host': 'other.example'})
    with pytest.raises(urllib.error.HTTPError, match='400'):
        urllib.request.urlopen(asked, timeout=PATIENCE)
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_uploads_stay_and_bad_ones_are_refused_in_words(visitor, tmp_path):
    text = tmp_path / 'text.jpg'
    text.write_text('no picture')
    noise = np.random.default_rng(0).integers(0, 255, (1100, 1100, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / 'heavy.png')
    Image.new('L', (4000, 3500)).save(tmp_path / 'wide.png')
    scene = draw_samples(tmp_path, 1)[0]
    visitor.upload(text)
    visitor.says('^text.jpg is not a picture that can be read')
    visitor.page.evaluate(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(['no picture'], 'dropped.gif'));
            const drop = new DragEvent('drop', { dataTransfer: dropped, cancelable: true });
            document.getElementById('stage').dispatchEvent(drop);
        }"""
    )
    visitor.says('^dropped.gif is not a picture that can be read')
    visitor.upload(tmp_path / 'heavy.png')
    visitor.says(r'^heavy.png has 3\.\d MB: a file may have 3 MB')
    visitor.upload(text, scene, tmp_path / 'wide.png')
    visitor.says('text.jpg is not a picture')
    visitor.upload(tmp_path / 'wide.png')
    visitor.says('^wide.png has 4000 x 3500 pixels')
    assert visitor.page.locator('#progress').inner_text() == '5 of 5, 0 done'
    visitor.click(0.78, 0.56)
    names = visitor.names()
    visitor.page.mouse.click(*visitor.place(-0.05, 0.5))
    visitor.says('outside the picture')
    visitor.reload()
    assert visitor.names() == names and len(names) == 1
    visitor.key('.', '?')
    visitor.picture('help')
    visitor.page.locator('#help button').click()
    visitor.press('forget')
    visitor.says('scene_0.png is forgotten')
    visitor.reload()
    assert visitor.page.locator('#progress').inner_text() == '– of 4, 0 done'


def test_a_folder_outlives_a_killed_server_and_a_killed_browser(browser, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'labels.json'
    draw_samples(photos, 3)
    flags = ('--folder', photos, '--out', out, '--token', 'secret')
    server = Server(*flags)
    try:
        visitor = Visitor(browser, server.address, ('wrong', 'secret'))
        progress = visitor.page.locator('#progress')
        visitor.says('^scene_0.png')
        visitor.click(0.78, 0.56)
        visitor.key('n')
        visitor.write('name', 'speech')
        visitor.key('Control+Enter')
        visitor.says('^scene_1.png')
        assert progress.inner_text() == '2 of 3, 1 done'
        visitor.click(0.5, 0.5)
        visitor.key('PageDown', 'PageUp')
        assert len(visitor.rows()) == 1
        assert [name for name, _ in masks_of(out)][0] == 'speech'

        server.kill()
        before = out.read_bytes()
        visitor.key('.', 'n')
        visitor.write('name', 'kept here')
        visitor.says('The server does not answer; your work is kept')
        visitor.click(0.2, 0.2)
        visitor.says('The server does not answer; your work is kept')
        assert visitor.names() == ['kept here'] and out.read_bytes() == before
        visitor.picture('no_server')
        server = Server(*flags, port=server.port)
        visitor.page.get_by_text('The server is back').wait_for()
        visitor.idle()
        assert [name for name, _ in masks_of(out)] == ['speech', 'kept here']
        visitor.click(0.2, 0.2)  # in a session and a picture that the new server does not know
        visitor.says('^Object 2: ')
        visitor.close()

        other = Visitor(browser, server.address, ['secret'])  # a browser that knows nothing
        other.says('^scene_1.png: 2 objects')
        assert other.page.locator('#progress').inner_text() == '2 of 3, 1 done'
        other.key('PageUp')
        assert other.names() == ['speech']
        assert sorted(each.name for each in tmp_path.iterdir()) == ['labels.json', 'photos']
        other.close()
    finally:
        server.kill()


def test_the_brush_adds_and_takes_away(visitor, tmp_path):
    visitor.choose('scene_0.png')
    visitor.tool('brush')
    visitor.drag((0.2, 0.5), (0.4, 0.5), (0.4, 0.7))
    visitor.says('^Object 1: ')
    visitor.export('coco', tmp_path / 'a.json')
    visitor.drag((0.6, 0.6), (0.7, 0.6))
    visitor.picture('brush')
    visitor.export('coco', tmp_path / 'b.json')
    visitor.key('x')
    visitor.drag((0.3, 0.45), (0.3, 0.55))
    visitor.export('coco', tmp_path / 'c.json')
    (_, a), (_, b), (_, c) = (masks_of(tmp_path / f'{name}.json')[0] for name in 'abc')
    height, width = a.shape
    at = lambda mask, x, y: mask[int(y * height), int(x * width)]  # noqa: E731
    assert at(a, 0.3, 0.5) and at(a, 0.4, 0.6) and not at(a, 0.65, 0.6) and not at(a, 0.3, 0.6)
    assert (b & a).sum() == a.sum() and at(b, 0.65, 0.6)
    assert not at(c, 0.3, 0.5) and at(c, 0.25, 0.5) and at(c, 0.65, 0.6) and not (c & ~b).any()
    visitor.key('Control+z')
    visitor.export('coco', tmp_path / 'd.json')
    assert (masks_of(tmp_path / 'd.json')[0][1] == b).all()
    visitor.key('Escape')
    visitor.drag((0.3, 0.45), (0.3, 0.55))
    visitor.says('Choose the object to take this from')


def test_run_lengths_are_those_of_coco(visitor):
    """The page reads and writes masks as pycocotools does."""
    rng = np.random.default_rng(0)
    for size in ((1, 1), (7, 5), (40, 60)):
        one, other = (rng.random(size) < share for share in (0.5, 0.1))
        rles = [mask_utils.encode(np.asfortranarray(each, np.uint8)) for each in (one, other)]
        sent = [{'size': list(size), 'counts': each['counts'].decode()} for each in rles]
        pixels, again, iou = visitor.page.evaluate(
            """async ([one, other]) => {
                const rle = await import('./rle.js');
                const pixels = rle.bitmap(one);
                return [[...pixels], rle.fromBitmap(pixels, one.size), rle.iou(one, other)];
            }""",
            sent,
        )
        assert (np.reshape(pixels, size, order='F') == one).all() and again == sent[0]
        assert iou == pytest.approx(mask_utils.iou([rles[0]], [rles[1]], [0])[0, 0])


def test_a_name_is_taught_and_known_after_a_reload(visitor):
    visitor.choose('scene_1.png')
    visitor.write('text', 'whistle')
    visitor.key('.', 'n')
    visitor.page.locator('#name').fill('gadget')
    visitor.press('teach')
    visitor.says('"gadget" is known by 1 example from now on')
    visitor.picture('teach')
    visitor.press('clear')
    visitor.press('everything')
    assert visitor.names().count('gadget') >= 1
    visitor.press('clear')
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^3 names')
    visitor.reload()
    visitor.write('text', 'gadget')
    assert set(visitor.names()) == {'gadget'}


def test_zooming_a_large_picture(visitor, tmp_path, capsys):
    """A picture of 12 megapixels with 20 objects; how long its frames take is printed."""
    width, height, count = 4000, 3000, 20
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    picture = tmp_path / 'large.jpg'
    Image.fromarray(noise).resize((width, height)).save(picture, quality=80)
    annotations = []
    for number in range(count):
        mask = np.zeros((height, width), np.uint8, order='F')
        left, top = number % 5 * 780 + 40, number // 5 * 720 + 60
        mask[top : top + 600, left : left + 700] = 1
        runs = mask_utils.encode(mask)
        annotations.append(
            {
                'id': number + 1,
                'image_id': 1,
                'category_id': 1,
                'segmentation': {'size': [height, width], 'counts': runs['counts'].decode()},
            }
        )
    content = {
        'images': [{'id': 1, 'file_name': 'large.jpg', 'width': width, 'height': height}],
        'categories': [{'id': 1, 'name': 'block'}],
        'annotations': annotations,
    }
    (tmp_path / 'large.json').write_text(json.dumps(content))
    visitor.upload(picture)
    visitor.says('^large.jpg')
    visitor.page.locator('#import').set_input_files(tmp_path / 'large.json')
    visitor.says(f'^{count} objects')
    before = visitor.page.locator('#picture').bounding_box()
    canvases = visitor.page.locator('#world canvas')
    drawn = canvases.evaluate_all('all => all.map(each => each.width)')
    times = visitor.page.evaluate(
        """() => new Promise((done) => {
            const stage = document.getElementById('stage'), times = [];
            let last = performance.now();
            function frame(now) {
                times.push(now - last);
                last = now;
                if (times.length > 60) return done(times.slice(1));
                stage.dispatchEvent(new WheelEvent('wheel', {
                    deltaY: times.length < 30 ? -60 : 60, clientX: 400, clientY: 300,
                    cancelable: true,
                }));
                requestAnimationFrame(frame);
            }
            requestAnimationFrame(frame);
        })"""
    )
    with capsys.disabled():
        print(
            f'\nzooming {width} x {height} with {count} objects: median '
            f'{np.median(times):.1f} ms, 95% {np.percentile(times, 95):.1f} ms a frame'
        )
    assert len(drawn) == count and max(drawn) <= 700
    visitor.key('+', '+')
    zoomed = visitor.page.locator('#picture').bounding_box()
    assert zoomed['width'] == pytest.approx(before['width'] * 1.25**2, rel=0.2)
    visitor.picture('large')
    visitor.page.keyboard.down(' ')
    visitor.drag((0.5, 0.5), (0.45, 0.55))
    visitor.page.keyboard.up(' ')
    moved = visitor.page.locator('#picture').bounding_box()
    assert moved['x'] < zoomed['x'] and moved['y'] > zoomed['y']
    assert len(visitor.rows()) == count
    visitor.key('0')
    assert visitor.page.locator('#picture').bounding_box() == before


def test_dark_theme(browser, address):
    visitor = Visitor(browser, address, color_scheme='dark')
    visitor.choose('scene_1.png')
    visitor.press('everything')
    colour = visitor.page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert sum(map(int, colour[4:-1].split(','))) < 150
    visitor.picture('dark')
    visitor.close()


def test_a_photograph(browser):
    """The picture of docs/app.jpg, which is a copy of work_dirs/app/photograph.jpg."""
    picture = photograph('motorcycle_left')
    with Image.open(picture) as image:
        width, height = image.size
    flags = ('--model', 'photo', '--vocabulary', 'coco', '--samples', picture)
    with serving(*flags) as server:
        visitor = Visitor(browser, server.address)
        visitor.choose('motorcycle_left.png')
        assert visitor.page.locator('#teach').is_disabled()
        visitor.drag((97 / width, 70 / height), (685 / width, 450 / height))
        visitor.says('^Object 1: motorcycle')
        path = PICTURES / 'photograph.jpg'
        visitor.page.screenshot(path=path, type='jpeg', quality=82)
        assert path.stat().st_size < 200_000
        visitor.close()
