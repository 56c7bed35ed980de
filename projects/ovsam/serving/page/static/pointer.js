// What the mouse, a pen or a finger means on the picture.

import * as brush from './brush.js';
import * as history from './history.js';
import * as objects from './objects.js';
import { current, here } from './pictures.js';
import * as view from './view.js';
import { Wrong } from './work.js';

const stage = document.getElementById('stage');
const drag = document.getElementById('drag');
const tools = [...document.querySelectorAll('[data-tool]')];
const SMALLEST_DRAG = 5; // pixels of the screen; less is a click

let tool = 'new', holdsSpace = false;
let gesture = null; // of one pointer; a palm or a second finger does nothing meanwhile

/** Choose what a click means: new, more, less, brush or erase. */
export function choose(name) {
  tool = name;
  for (const each of tools) each.setAttribute('aria-checked', each.dataset.tool === name);
  document.getElementById('size-label').hidden = !isBrush();
}

/** While space is held, the mouse moves the picture. */
export function holdSpace(holds) {
  holdsSpace = holds;
  stage.classList.toggle('pan', holds);
}

/** Forget a drag or a stroke that has not ended. */
export function cancel() {
  gesture?.cancel?.();
  gesture = null;
  drag.hidden = true;
}

const isBrush = () => tool === 'brush' || tool === 'erase';

function meaning(event) {
  if (event.button === 2 || event.altKey) return 'less';
  return event.shiftKey ? 'more' : tool;
}

function point(x, y, what) {
  const { width, height } = current();
  if (x < 0 || y < 0 || x >= width || y >= height) throw new Wrong('That is outside the picture.');
  return what === 'new' ? objects.start([[x, y, 1]]) : objects.correct(x, y, Number(what === 'more'));
}

// What begins with a press: `end` belongs to the picture that was open then.

function moving(event) {
  let last = [event.clientX, event.clientY];
  return {
    move(next) {
      view.pan(next.clientX - last[0], next.clientY - last[1]);
      last = [next.clientX, next.clientY];
    },
    end() {},
  };
}

function painting(event) {
  const picture = current();
  const stroke = brush.stroke(tool === 'brush', picture.width, picture.height, ...view.inPicture(event));
  return {
    move(next) {
      for (const each of next.getCoalescedEvents?.() ?? [next]) stroke.to(...view.inPicture(each));
    },
    cancel: stroke.cancel,
    end: () => here(stroke.end, picture).then(stroke.cancel),
  };
}

function pointing(event) {
  const what = meaning(event), start = view.inPicture(event), picture = current();
  const corner = stage.getBoundingClientRect();
  const from = [event.clientX - corner.left, event.clientY - corner.top];
  const { number } = event.target.dataset; // of an object, if its name was pressed
  const click = number && what === 'new' ? () => history.select(Number(number)) : () => point(...start, what);
  let boxed = false;
  return {
    move(next) {
      const to = [next.clientX - corner.left, next.clientY - corner.top];
      const [width, height] = [Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
      boxed = what !== 'less' && Math.max(width, height) >= SMALLEST_DRAG;
      drag.hidden = !boxed;
      Object.assign(drag.style, {
        left: `${Math.min(to[0], from[0])}px`, top: `${Math.min(to[1], from[1])}px`,
        width: `${width}px`, height: `${height}px`,
      });
    },
    end(next) {
      drag.hidden = true;
      const end = view.inPicture(next);
      here(() => (boxed ? boxOf(start, end) : click()), picture);
    },
  };
}

function boxOf(one, other) {
  const { width, height } = current();
  const inside = (value, most) => Math.min(most, Math.max(0, value));
  const [left, right] = [one[0], other[0]].map((x) => inside(x, width)).sort((a, b) => a - b);
  const [top, bottom] = [one[1], other[1]].map((y) => inside(y, height)).sort((a, b) => a - b);
  if (right - left < 1 || bottom - top < 1) throw new Wrong('That box is outside the picture.');
  return objects.start([], [left, top, right, bottom]);
}

function begun(event) {
  if (event.button === 1 || (event.button === 0 && holdsSpace)) return moving(event);
  if (event.button === 0 && isBrush()) return painting(event);
  return event.button === 0 || event.button === 2 ? pointing(event) : null;
}

const isIts = (event) => gesture?.pointer === event.pointerId;

stage.addEventListener('pointerdown', (event) => {
  if (!current()) return;
  event.preventDefault();
  if (isIts(event)) cancel(); // its end was lost
  if (gesture) return;
  stage.focus();
  stage.setPointerCapture(event.pointerId);
  const made = begun(event);
  if (made) gesture = { ...made, pointer: event.pointerId };
});
stage.addEventListener('pointermove', (event) => isIts(event) && gesture.move(event));
stage.addEventListener('pointerup', (event) => {
  if (!isIts(event)) return;
  const ended = gesture;
  gesture = null;
  ended.end(event);
});
for (const lost of ['pointercancel', 'lostpointercapture']) {
  stage.addEventListener(lost, (event) => isIts(event) && cancel());
}
stage.addEventListener('contextmenu', (event) => event.preventDefault());
for (const each of tools) each.addEventListener('click', () => choose(each.dataset.tool));
choose('new');
