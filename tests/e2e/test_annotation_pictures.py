"""The annotation page in headless Chromium: which pictures, whose, and that all is kept."""

import json
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from ovsam.serving.page.samples import draw_samples, photograph
from ovsam.utils.run_lengths import run_lengths_of
from tests.e2e.page_visitor import (
    PATIENCE,
    PICTURES,
    Server,
    Visitor,
    masks_of,
    needs_browser,
    serving,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30 * PATIENCE), needs_browser]

KEEPING = '**/api/page/kept?*'


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
    pictures = address.replace('/page/', '/api/page/pictures')
    asked = urllib.request.Request(pictures, headers={'Host': 'other.example'})
    with pytest.raises(urllib.error.HTTPError, match='403'):
        urllib.request.urlopen(asked, timeout=PATIENCE)
    with urllib.request.urlopen(pictures, timeout=PATIENCE) as answer:
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
    for place in ('stage', 'list'):
        visitor.page.evaluate(
            """(place) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File(['no picture'], `${place}.gif`));
                const all = { dataTransfer, cancelable: true, bubbles: true };
                for (const kind of ['dragover', 'drop'])
                    if (document.getElementById(place).dispatchEvent(new DragEvent(kind, all)))
                        throw new Error('the browser leaves the page');
            }""",
            place,
        )
        visitor.says(f'^{place}.gif is not a picture that can be read')
    visitor.page.evaluate('File.prototype.slice = () => ({ arrayBuffer: () => Promise.reject() })')
    visitor.upload(text)
    visitor.says('^text.jpg cannot be read')
    visitor.reload()
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


def test_broken_pictures_are_passed_by_and_newer_work_stays(browser, tmp_path):
    photos, out = tmp_path / 'photos', tmp_path / 'labels.json'
    draw_samples(photos, 1)
    (photos / 'a.png').write_text('no picture')
    flags = ('--folder', photos, '--out', out)
    server = Server(*flags)
    try:
        visitor = Visitor(browser, server.address)
        visitor.says('^a.png is not a picture')
        visitor.key('PageDown')
        visitor.says('^scene_0.png')
        visitor.click(0.78, 0.56)
        server.kill()
        visitor.key('.', 'n')
        visitor.write('name', 'older')
        visitor.says('The server does not answer; your work is kept')
        visitor.page.close()  # before the server is back

        server = Server(*flags, port=server.port)
        other = Visitor(browser, server.address)
        other.choose('scene_0.png')
        other.click(0.2, 0.2)
        other.says('^Object 2: ')
        before = out.read_bytes()
        other.close()
        visitor.page = visitor.context.new_page()
        asked = []
        visitor.page.on('dialog', lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        visitor.page.goto(f'{server.address}#scene_0.png')
        visitor.says('^scene_0.png: 2 objects')
        assert len(asked) == 1 and 'was changed elsewhere' in asked[0]
        visitor.reload()
        visitor.says('^scene_0.png: 2 objects')
        assert len(asked) == 1 and out.read_bytes() == before
        by_proxy = lambda route: route.fulfill(status=502)  # noqa: E731
        kept_but_not_said = lambda route: (route.fetch(), route.abort())  # noqa: E731
        for done, lose in (1, by_proxy), (0, by_proxy), (1, kept_but_not_said):
            visitor.page.route(KEEPING, lose)
            visitor.key('d')
            visitor.says('The server does not answer; your work is kept')
            assert visitor.page.locator('#progress').inner_text().endswith(f' {done} done')
            visitor.page.unroute(KEEPING)
        visitor.reload()
        visitor.says('^scene_0.png: 2 objects')
        assert len(asked) == 1
        visitor.close()
    finally:
        server.kill()


def test_zooming_a_large_picture(visitor, tmp_path, capsys):
    """A picture of 12 megapixels with 20 objects; how long its frames take is printed."""
    width, height, count = 4000, 3000, 20
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    picture = tmp_path / 'large.jpg'
    Image.fromarray(noise).resize((width, height)).save(picture, quality=80)
    annotations = []
    for number in range(count):
        mask = np.zeros((height, width), np.uint8)
        left, top = number % 5 * 780 + 40, number // 5 * 720 + 60
        mask[top : top + 600, left : left + 700] = 1
        annotations.append(
            {
                'id': number + 1,
                'image_id': 1,
                'category_id': 1,
                'segmentation': run_lengths_of(mask),
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
    said = (
        f'zooming {width} x {height} with {count} objects: median {np.median(times):.1f} ms, '
        f'95% {np.percentile(times, 95):.1f} ms a frame'
    )
    (PICTURES / 'zoom.txt').write_text(said)
    with capsys.disabled():
        print(f'\n{said}')
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
    pytest.importorskip('skimage', reason='the photograph comes with it: pip install ".[demo]"')
    picture = photograph('motorcycle_left')
    with Image.open(picture) as image:
        width, height = image.size
    with serving('--model', 'photo') as server:
        visitor = Visitor(browser, server.address)
        visitor.choose('motorcycle_left.png')
        assert visitor.page.locator('#teach').is_enabled()
        visitor.drag((97 / width, 70 / height), (685 / width, 450 / height))
        visitor.says('^Object 1: motorcycle')
        path = PICTURES / 'photograph.jpg'
        visitor.page.screenshot(path=path, type='jpeg', quality=82)
        assert path.stat().st_size < 200_000
        visitor.close()
