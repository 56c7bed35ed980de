// The keyboard: one table, which is also the help.

import * as brush from './brush.js';
import * as history from './history.js';
import * as objects from './objects.js';
import * as pictures from './pictures.js';
import * as pointer from './pointer.js';
import * as view from './view.js';
import { run } from './work.js';

const at = (id) => document.getElementById(id);
const focus = (id) => () => { at(id).focus(); at(id).select(); };

function step(by) {
  return () => run(() => pictures.go(pictures.position() + by));
}

function other(by) {
  return () => pictures.here(() => {
    const list = history.objects();
    if (!list.length) return;
    const place = list.indexOf(history.active());
    const next = place < 0 ? (by > 0 ? 0 : list.length - 1) : (place + by + list.length) % list.length;
    history.select(list[next].number);
  });
}

function deselect() {
  pointer.cancel();
  pictures.here(() => history.select(null));
}

function finish() {
  pictures.here(async () => {
    await pictures.setDone(true);
    await pictures.go(pictures.position() + 1);
  });
}

const take = (place) => () => pictures.here(() => {
  const name = history.active()?.alternatives[place]?.[0];
  if (name) objects.rename(name);
});

// What is pressed, what it does, in words; keys of letters count in either case.
const TABLE = [
  [['Enter'], 'the name is right', () => pictures.here(objects.accept)],
  [['Backspace', 'Delete'], 'delete the object', () => pictures.here(objects.removeChosen)],
  [['Escape'], 'choose no object; end a drag', deselect],
  [['Ctrl+z'], 'undo', () => pictures.here(objects.undo)],
  [['Ctrl+y', 'Ctrl+Shift+z'], 'redo', () => pictures.here(objects.redo)],
  [[',', '.'], 'previous, next object', other(-1), other(1)],
  [['n'], 'type a name', focus('name')],
  [['f'], 'type what to find', focus('text')],
  [['e'], 'everything', () => pictures.here(objects.everything)],
  [['v'], 'a click is a new object', () => pointer.choose('new')],
  [['b'], 'brush', () => pointer.choose('brush')],
  [['x'], 'eraser', () => pointer.choose('erase')],
  [['[', ']'], 'smaller, larger brush', () => brush.resize(0.8), () => brush.resize(1.25)],
  [['0'], 'see the whole picture', view.fit],
  [['-', '+'], 'zoom out, in', () => view.zoom(0.8), () => view.zoom(1.25)],
  [['PageUp', 'PageDown'], 'previous, next picture', step(-1), step(1)],
  [['d'], 'this picture is done', () => at('done').click()],
  [['Ctrl+Enter'], 'done, and the next picture', finish],
  [['?'], 'this list', () => at('help').showModal()],
];
const ACTIONS = new Map(TABLE.flatMap(([keys, , ...actions]) => (
  keys.map((each, place) => [each, actions[place] ?? actions[0]]))));
// What is done again and again while it is held. Ctrl+Enter is not: it would pass unseen pictures.
const HELD = new Set([',', '.', '[', ']', '-', '+', 'Ctrl+z', 'Ctrl+y', 'Ctrl+Shift+z']);
for (let place = 0; place < 9; place++) ACTIONS.set(String(place + 1), take(place));

function pressed(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const control = event.ctrlKey || event.metaKey;
  return `${control ? 'Ctrl+' : ''}${control && event.shiftKey ? 'Shift+' : ''}${key}`;
}

document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input:not([type=checkbox], [type=range], [type=file]), select');
  if (document.querySelector('dialog[open]')) return;
  if (typing) {
    if (event.key === 'Escape') at('stage').focus();
    return;
  }
  const onButton = event.target.matches('button, a, input');
  if (event.key === ' ' && !onButton) {
    event.preventDefault();
    pointer.holdSpace(true);
  }
  if (event.altKey || (event.key === 'Enter' && onButton && !event.ctrlKey)) return;
  const key = pressed(event), action = ACTIONS.get(key);
  if (!action) return;
  event.preventDefault();
  if (!event.repeat || HELD.has(key)) action();
});
// What was clicked leaves the keys to the picture; what the keyboard pressed (0 clicks) does not.
document.addEventListener('click', (event) => {
  if (event.detail && event.target.closest('button:not(form *), #done')) at('stage').focus();
}, true);
at('pictures').addEventListener('change', () => at('stage').focus());
document.addEventListener('keyup', (event) => event.key === ' ' && pointer.holdSpace(false));
window.addEventListener('blur', () => pointer.holdSpace(false));

function row(keys, meaning) {
  const element = document.createElement('tr');
  const [left, right] = [document.createElement('td'), document.createElement('td')];
  keys.forEach((each) => {
    const key = document.createElement('kbd');
    key.textContent = each.replace('z', 'Z').replace('y', 'Y');
    left.append(key, ' ');
  });
  right.textContent = meaning;
  element.append(left, right);
  return element;
}
at('keys').append(
  row(['click'], 'a new object'), row(['drag'], 'a new object, by a box around it'),
  row(['Shift+click'], 'this belongs to the object'),
  row(['Alt+click', 'right click'], 'this does not belong to it'),
  row(['1', '…', '9'], 'take this name'),
  ...TABLE.map(([keys, meaning]) => row(keys, meaning)),
);
