"""The annotation page in headless Chromium, where answers are slow, are refused, or do not come."""

import shutil

import pytest

from ovsam.serving.page.samples import draw_samples
from tests.e2e.page_visitor import PATIENCE, Server, Visitor, masks_of, needs_browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(30 * PATIENCE), needs_browser]

OPENING = '**/api/page/open?*'
CLICKING, NAMING = '**/api/images/*/click', '**/api/images/*/name'


def names_of(path):
    return sorted(name for name, _ in masks_of(path))


def test_what_is_done_belongs_to_the_picture_it_was_done_in(visitor):
    page = visitor.page
    before = {}
    for name in ('scene_1.png', 'scene_0.png'):
        visitor.choose(name)
        visitor.click(0.5, 0.5)
        before[name] = visitor.rows()

    def stroke():
        page.keyboard.press('b')
        visitor.start_drag((0.1, 0.1), (0.3, 0.1))
        page.keyboard.press('v')

    for action in (
        lambda: page.mouse.click(*visitor.place(0.2, 0.2)),
        lambda: visitor.start_drag((0.1, 0.1), (0.6, 0.6)),
        stroke,
        lambda: page.locator('#clear').click(),
        lambda: page.locator('#objects button').click(),
        lambda: page.keyboard.press('e'),
        lambda: page.keyboard.press('Control+Enter'),
        lambda: page.keyboard.press('d'),
    ):
        with visitor.holding(OPENING):
            page.keyboard.press('PageDown')
            action()
        visitor.says('^Another picture is open by now: do it again')
        assert visitor.title().startswith('scene_1.png') and visitor.rows() == before['scene_1.png']
        assert page.locator('#world canvas').count() == 1
        assert page.locator('#progress').inner_text().endswith(' 0 done')
        visitor.key('PageUp')
        assert visitor.rows() == before['scene_0.png']
        visitor.key('.')

    page.mouse.move(*visitor.place(0.1, 0.1))
    page.mouse.down()
    page.mouse.move(*visitor.place(0.3, 0.3))
    visitor.key('PageDown')
    page.mouse.up()  # of a box that was begun in the other picture
    visitor.says('^Another picture is open by now')
    with visitor.holding(OPENING):
        page.keyboard.press('PageDown')
        page.keyboard.press('PageDown')
    assert visitor.title().startswith('scene_3.png')


def test_small_windows_have_all_controls(visitor):
    visitor.choose('scene_0.png')
    visitor.click(0.78, 0.56)
    visitor.page.set_viewport_size({'width': 800, 'height': 420})
    visitor.press('undo')
    visitor.press('redo')
    visitor.press('export')


def test_a_key_that_is_held_does_it_once(visitor):
    page = visitor.page
    page.locator('#pictures').focus()
    visitor.choose('scene_0.png')  # and the keys are the picture's
    page.keyboard.down('Control')
    for title in ('scene_1.png', 'scene_1.png'):
        page.keyboard.down('Enter')
        visitor.idle()
        assert visitor.title().startswith(title)
    page.keyboard.up('Enter')
    page.keyboard.up('Control')
    assert page.locator('#progress').inner_text().endswith(' 1 done')


def test_a_name_that_is_typed_stays_and_is_of_the_object_it_was_typed_for(visitor):
    visitor.choose('scene_0.png')
    visitor.click(0.78, 0.56)
    with visitor.holding(CLICKING):
        visitor.page.keyboard.down('Shift')
        visitor.page.mouse.click(*visitor.place(0.7, 0.47))
        visitor.page.keyboard.up('Shift')
        visitor.page.keyboard.press('n')
        visitor.page.keyboard.type('umb')
    visitor.says('2 clicks$')
    visitor.page.keyboard.type('rella')
    visitor.key('Enter')
    assert visitor.names() == ['umbrella']
    with visitor.holding(CLICKING):
        visitor.page.mouse.click(*visitor.place(0.3, 0.5))
        visitor.page.keyboard.press('n')
        visitor.page.keyboard.type('bubble')
    visitor.says('^Object 2: ')
    assert visitor.page.locator('#chosen-title').inner_text() == 'Object 1: umbrella'
    visitor.key('Enter')
    assert visitor.names()[0] == 'bubble' and len(visitor.names()) == 2
    visitor.key('.')
    second = visitor.names()[1]
    assert visitor.page.locator('#name').input_value() == second
    visitor.key('n', 'x', 'Escape')
    assert visitor.page.locator('#name').input_value() == second
    with visitor.holding(CLICKING):
        visitor.page.mouse.click(*visitor.place(0.15, 0.8))
        visitor.page.keyboard.press('n')
        visitor.page.keyboard.type('whistle')
        visitor.page.keyboard.press('Enter')
        visitor.page.locator('#name').fill('something else')
    assert visitor.names()[:2] == ['bubble', 'whistle']
    assert visitor.names()[2] not in ('whistle', 'something else')


def test_quick_strokes_are_of_one_object(visitor, tmp_path):
    visitor.choose('scene_0.png')
    visitor.tool('brush')
    with visitor.holding(NAMING):
        for x in (0.2, 0.4, 0.6):
            visitor.start_drag((x, 0.2), (x, 0.4))
        visitor.page.keyboard.press('x')
        visitor.start_drag((0.6, 0.2), (0.6, 0.4))
        visitor.page.keyboard.press('b')
        visitor.page.keyboard.press('Escape')
        visitor.start_drag((0.8, 0.2), (0.8, 0.4))
    visitor.export('coco', tmp_path / 'out.json')
    (_, one), (_, other) = masks_of(tmp_path / 'out.json')
    height, width = one.shape
    shown = [
        [mask[int(0.3 * height), int(x * width)] for x in (0.2, 0.4, 0.6, 0.8)]
        for mask in (one, other)
    ]
    assert shown == [[True, True, False, False], [False, False, False, True]]


def test_a_vocabulary_counts_when_all_are_named(visitor):
    visitor.choose('scene_0.png')
    visitor.page.evaluate(
        """async () => {
            const { commit } = await import('./history.js');
            const { fromBitmap } = await import('./rle.js');
            const pixels = new Uint8Array(256 * 256).fill(1, 9000, 30000);
            const object = {
                rle: fromBitmap(pixels, [256, 256]), box: [35, 0, 118, 256], name: 'thing',
                score: 0.5, alternatives: [], points: [], promptBox: null, fixed: false,
            };
            commit([...Array(1001).keys()].map((each) => ({ ...object, number: each + 1 })));
        }"""
    )
    asked = []

    def refuse_the_last(route):
        asked.append(len(route.request.post_data_json['drawn']))
        if sum(asked) == 1001:
            route.fulfill(status=422, json={'detail': 'not now'})
        else:
            route.continue_()

    visitor.page.route(NAMING, refuse_the_last)
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^not now')
    assert set(visitor.names()) == {'thing'} and sum(asked) == 1001 and max(asked) < 1000
    visitor.page.unroute(NAMING)
    visitor.press('clear')
    visitor.click(0.78, 0.56)
    assert not set(visitor.names()) & {'sun', 'moon'}
    visitor.key('Control+z', 'Control+z')
    visitor.write('vocabulary', 'sun, moon')
    visitor.says('^2 names')
    assert len(visitor.names()) == 1001 and set(visitor.names()) <= {'sun', 'moon'}


def test_a_browser_without_room_opens_what_the_server_took(visitor, tmp_path):
    visitor.page.evaluate(
        """() => {
            const { put } = IDBObjectStore.prototype;
            IDBObjectStore.prototype.put = function (...all) {
                const request = put.apply(this, all);
                this.transaction.abort();
                return request;
            };
        }"""
    )
    (picture,) = draw_samples(tmp_path, 1)
    visitor.upload(picture)
    visitor.says('^this browser could not keep the picture')
    assert visitor.title().startswith('scene_0.png')
    visitor.click(0.78, 0.56)
    visitor.says('^this browser could not keep the picture')
    assert len(visitor.rows()) == 1


@pytest.mark.parametrize('earlier', [False, True], ids=['now', 'of_an_earlier_page'])
def test_what_the_server_did_not_get_is_sent_later(browser, tmp_path, earlier):
    photos, out = tmp_path / 'photos', tmp_path / 'labels.json'
    draw_samples(photos, 2)
    shutil.copy(photos / 'scene_1.png', photos / 'z.png')
    flags = ('--folder', photos, '--out', out)
    server = Server(*flags)
    asked = []

    def rename_without_server(name):
        server.kill()
        visitor.key('.', 'n')
        visitor.write('name', name)
        visitor.says('The server does not answer; your work is kept')

    def come_back():
        visitor.page.close()
        visitor.page = visitor.context.new_page()
        visitor.page.on('dialog', lambda dialog: (asked.append(dialog.message), dialog.accept()))
        visitor.page.goto(server.address)
        visitor.idle()

    try:
        visitor = Visitor(browser, server.address)
        visitor.choose('scene_1.png')
        visitor.click(0.5, 0.5)
        visitor.page.evaluate(
            """() => {
                const { setTimeout, clearTimeout } = window;
                window.waiting = new Set();
                window.setTimeout = (action, time) => {
                    const timer = setTimeout(action, time);
                    if (time === 3000) window.waiting.add(timer);
                    return timer;
                };
                window.clearTimeout = (timer) => {
                    window.waiting.delete(timer);
                    clearTimeout(timer);
                };
            }"""
        )
        rename_without_server('mine')
        for name in ('again', 'corrected'):
            visitor.key('n')
            visitor.write('name', name)
        assert visitor.page.evaluate('() => window.waiting.size') == 1
        if earlier:  # it knew records by the picture's content alone
            visitor.page.evaluate(
                """async () => {
                    const { all, forget, put } = await import('./store.js');
                    for (const each of await all()) {
                        await forget(each.image);
                        await put({ ...each, image: each.image.split('/')[0] });
                    }
                }"""
            )
        visitor.page.goto('about:blank')  # before the server is back
        server = Server(*flags, port=server.port)
        come_back()
        visitor.says('^scene_0.png')
        assert names_of(out) == ['corrected'] and asked == []
        if earlier:
            return

        visitor.choose('scene_1.png')
        rename_without_server('older')
        visitor.page.goto('about:blank')
        server = Server(*flags, port=server.port)
        other = Visitor(browser, server.address)
        other.choose('scene_1.png')
        other.key('.', 'n')
        other.write('name', 'newer')
        other.close()
        come_back()
        visitor.says('work that the server could not take: open scene_1.png to see it')
        assert names_of(out) == ['newer'] and visitor.title().startswith('scene_0.png')
        visitor.choose('z.png')  # a copy has objects of its own
        assert visitor.rows() == [] and names_of(out) == ['newer'] and asked == []
        visitor.choose('scene_1.png')
        assert names_of(out) == ['older'] and 'was changed elsewhere' in asked[0]

        out.write_text(out.read_text() + ' ')
        visitor.click(0.2, 0.2)
        visitor.says('labels.json was changed by something else')
        visitor.upload(photos / 'scene_0.png')
        visitor.says('labels.json was changed by something else')
        assert visitor.title().startswith('scene_1.png')  # whose objects the server lacks
        visitor.close()
    finally:
        server.kill()
