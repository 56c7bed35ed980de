"""The annotation page in headless Chromium: objects, names, masks; pictures go to work_dirs/app."""

import copy
import zipfile

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from tests.e2e.page_visitor import PATIENCE, Visitor, masks_of, needs_browser, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30 * PATIENCE), needs_browser]


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


def test_a_name_in_the_picture_takes_nothing_but_clicks(visitor):
    def place_of_the_name():
        name, picture = (
            visitor.page.locator(each).first.bounding_box() for each in ('.label', '#picture')
        )
        x, y = (name[side] + 5 - picture[side] for side in 'xy')
        return x / picture['width'], y / picture['height']

    visitor.choose('scene_0.png')
    visitor.click(0.78, 0.56)
    visitor.key('Escape')
    visitor.click(*place_of_the_name())
    assert visitor.page.locator('#chosen').is_visible() and len(visitor.rows()) == 1
    visitor.click(*place_of_the_name(), 'Shift')
    visitor.says('^Object 1: .*, 2 clicks$')
    visitor.drag(place_of_the_name(), (0.9, 0.9))
    visitor.says('^Object 2: ')


def test_quick_presses_are_not_lost(visitor):
    visitor.choose('scene_0.png')
    for place in ((0.78, 0.56), (0.3, 0.5), (0.9, 0.3), (0.15, 0.8)):
        visitor.page.mouse.click(*visitor.place(*place))
    visitor.page.locator('#upload').focus()  # as it is once a picture was opened
    visitor.page.keyboard.press('Control+z')
    visitor.page.keyboard.press('e')
    visitor.page.keyboard.press('Control+z')
    visitor.idle()
    numbers = visitor.page.locator('#objects button').all_inner_texts()
    assert [row.split()[0] for row in numbers] == ['1', '2', '3']
    visitor.page.locator('#objects button').nth(1).click()
    visitor.key('Enter')  # is not the button's that was clicked
    visitor.says(' it is$')
    visitor.reload()  # and nothing was asked yet
    visitor.key('.', 'n')
    assert visitor.page.locator('#vocabulary-names option').count() > 0
    visitor.page.keyboard.insert_text('long' * 200)  # more than the server takes
    visitor.key('Enter')
    assert len(visitor.names()[0]) == 500


def test_everything_vocabulary_and_find(visitor):
    visitor.choose('scene_1.png')
    visitor.key('e')
    visitor.says(r'^[1-9]\d* objects? added')
    visitor.picture('everything')
    doubtful = visitor.page.locator('#objects .doubtful .name').all_inner_texts()
    low = [row for row in visitor.rows() if row.endswith('?')]
    assert low == doubtful and all(float(row.split()[-2]) < 0.3 for row in low)
    visitor.press('clear')
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^2 names')
    visitor.press('undo')
    assert len(visitor.names()) > 1 and set(visitor.names()) <= {'sun', 'moon'}
    for text, said in (('cocoo', 'no pack "cocoo"'), ('coco+cocoo', "no pack 'cocoo'")):
        visitor.write('vocabulary', text)
        visitor.says(said)
    visitor.press('clear')
    visitor.write('vocabulary', 'sun, moon, trumpet, watch')
    visitor.says('^4 names')
    visitor.write('text', 'whistle')  # the scene holds one
    visitor.says('^[1-9] objects? of a score of 0.3 or more, for "whistle"')
    assert set(visitor.names()) == {'whistle'}
    visitor.page.locator('#threshold').fill('')  # is no 0, of which all would be moons
    visitor.write('text', 'moon')
    assert set(visitor.names()) == {'whistle'}
    visitor.page.locator('#threshold').fill('0.3')
    visitor.write('text', ' ')
    visitor.says('Say what to find')
    visitor.reload()
    assert set(visitor.names()) == {'whistle'}
    assert visitor.page.locator('#vocabulary').input_value() == 'sun, moon, trumpet, watch'


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
    visitor.key('v')
    visitor.click(0.78, 0.56)
    visitor.key('x')
    visitor.drag((1.02, 0.1), (1.02, 0.3))
    visitor.says('That stroke changes nothing')
    assert visitor.page.locator('.mark').count() == 1  # the click that the object answers


def test_a_palm_does_not_end_a_stroke(visitor, tmp_path):
    visitor.choose('scene_0.png')
    visitor.tool('brush')
    visitor.page.evaluate(
        """(places) => {
            const stage = document.getElementById('stage');
            stage.setPointerCapture = () => {}; // which wants a pointer that there is
            for (const [type, pointerId, clientX, clientY] of places) {
                const place = { pointerId, clientX, clientY, button: 0, bubbles: true };
                const coalescedEvents = [new PointerEvent('pointermove', place)];
                const all = { ...place, coalescedEvents };
                stage.dispatchEvent(new PointerEvent(`pointer${type}`, all));
            }
        }""",
        [
            ('down', 1, *visitor.place(0.2, 0.5)),
            ('down', 2, *visitor.place(0.8, 0.9)),
            ('move', 2, *visitor.place(0.9, 0.9)),
            ('cancel', 2, *visitor.place(0.9, 0.9)),
            ('move', 1, *visitor.place(0.6, 0.5)),
            ('up', 1, *visitor.place(0.6, 0.5)),
        ],
    )
    visitor.export('coco', tmp_path / 'out.json')
    ((_, mask),) = masks_of(tmp_path / 'out.json')
    height, width = mask.shape
    assert mask[height // 2, width // 2] and not mask[int(0.7 * height) :].any()
    assert visitor.page.locator('#world canvas').count() == 1


def test_a_long_message_does_not_move_the_view(visitor):
    visitor.choose('scene_0.png')
    whole = visitor.page.locator('#picture').bounding_box()
    stage = visitor.page.locator('#stage').bounding_box()
    visitor.key('+', '+')
    zoomed = visitor.page.locator('#picture').bounding_box()
    visitor.write('vocabulary', 'no such pack ' * 20)
    visitor.says('There is no pack')
    lower = stage['height'] - visitor.page.locator('#stage').bounding_box()['height']
    assert lower > 0
    after = visitor.page.locator('#picture').bounding_box()
    expected = zoomed | {'y': zoomed['y'] - lower / 2}
    assert after == pytest.approx(expected, abs=1)
    visitor.key('0')
    visitor.key('Control+z')
    visitor.says('Nothing to undo')
    assert visitor.page.locator('#picture').bounding_box() == pytest.approx(whole)


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


def test_two_tabs_know_what_either_was_taught(visitor):
    other = copy.copy(visitor)
    other.page = visitor.context.new_page()
    other.page.goto(visitor.page.url)
    for tab in (visitor, other):
        tab.choose('scene_1.png')
        tab.write('text', 'whistle')
    for tab, name in ((visitor, 'gadget'), (other, 'gizmo')):
        tab.key('.', 'n')
        tab.page.locator('#name').fill(name)
        tab.press('teach')
        tab.says(f'"{name}" is known by 1 example')
    visitor.reload()
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^4 names')


def test_what_was_taught_to_another_model_stays(visitor):
    visitor.page.evaluate("localStorage.setItem('taught', 'AAAA')")
    visitor.reload()
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^2 names')
    assert visitor.page.evaluate("localStorage.getItem('taught')") == 'AAAA'


def test_an_export_offers_what_it_can(browser, tmp_path):
    pytest.importorskip('onnxruntime')
    from ovsam.commands import export

    assert export.main(['mini-interactive', '--out', str(tmp_path)]) == 0
    with serving('--onnx', tmp_path, '--points-per-side', 8) as server:
        visitor = Visitor(browser, server.address)
        assert visitor.page.locator('#teach').is_disabled()
        visitor.choose('scene_0.png')
        visitor.click(0.78, 0.56)
        visitor.says('^Object 1: .*, 1 click$')
        visitor.click(0.7, 0.47, 'Shift')
        visitor.says('^Object 1: .*, 2 clicks$')
        (name,) = visitor.names()
        visitor.write('vocabulary', 'gizmo, cat')
        visitor.says('it does not know gizmo: .*ovsam vocabulary NAMES --embed')
        visitor.write('vocabulary', f'{name}, cat')
        assert visitor.names() == [name]
        visitor.write('text', 'gizmo')
        visitor.says('it does not know gizmo')
        visitor.write('text', name)
        visitor.says(name)
        visitor.close()
