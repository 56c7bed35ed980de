// The controls at the right and above show what there is.

import * as history from './history.js';
import { colour } from './mask.js';
import { doubtful, shownName } from './naming.js';
import * as objects from './objects.js';
import * as pictures from './pictures.js';
import * as session from './session.js';

const MOST_SUGGESTED = 50;
const at = (id) => document.getElementById(id);
let shown = null; // number of the object whose names are shown

/** Do an action with the object whose names are shown now, whichever is chosen by then. */
export function withShown(action) {
  const number = shown;
  return pictures.here(() => {
    if (history.active()?.number !== number) history.select(number);
    return action();
  });
}

/** An element of a kind, with a text, classes and attributes. */
function make(kind, text, attributes = {}) {
  const element = document.createElement(kind);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function showObjects() {
  const active = history.active(), found = history.objects();
  at('count').textContent = found.length ? `${found.length} object${found.length === 1 ? '' : 's'}` : 'No objects';
  const focused = at('objects').contains(document.activeElement);
  at('objects').replaceChildren(...found.map((each) => {
    const row = make('button', `${each.number} `, { 'data-number': each.number, 'aria-current': each === active });
    row.append(make('span', shownName(each), { class: 'name' }));
    row.style.borderColor = `rgb(${colour(each.number)})`;
    if (doubtful(each)) {
      row.classList.add('doubtful');
      row.title = 'Look at this name: its score is low';
    }
    if (each.quality !== null && each.quality !== undefined) {
      row.append(make('span', each.quality.toFixed(2), { class: 'score', title: 'quality of the mask' }));
    }
    row.addEventListener('click', () => pictures.here(() => history.select(each.number)));
    const item = document.createElement('li');
    item.append(row);
    return item;
  }));
  const row = at('objects').querySelector('[aria-current=true]');
  row?.scrollIntoView({ block: 'nearest' });
  if (focused) row?.focus();
  showNames();
}

/** Show the names of the chosen object; or of the same as before, while a name is typed for it. */
function showNames() {
  const typing = at('name-form').contains(document.activeElement);
  const named = typing ? history.objects().find((each) => each.number === shown) : null;
  const object = named ?? history.active();
  shown = object?.number ?? null;
  at('chosen').hidden = !object;
  if (!object) return;
  at('chosen-title').textContent = `Object ${object.number}: ${object.name}`;
  if (!named) at('name').value = object.name;
  at('names').replaceChildren(...object.alternatives.slice(0, 9).map(([name, score], place) => {
    const choice = make('button', '', { 'aria-pressed': name === object.name });
    choice.append(make('kbd', place + 1), make('span', name), make('span', score.toFixed(2), { class: 'score' }));
    choice.addEventListener('click', () => withShown(() => objects.rename(name)));
    const item = document.createElement('li');
    item.append(choice);
    return item;
  }));
}

/** Names that begin like, or else hold, what is typed: of thousands, a few. */
export function suggest() {
  const text = at('name').value.trim().toLowerCase();
  const names = session.allNames();
  const begin = names.filter((each) => each.toLowerCase().startsWith(text));
  const hold = begin.length < MOST_SUGGESTED ? names.filter((each) => each.toLowerCase().indexOf(text) > 0) : [];
  const found = [...begin, ...hold].slice(0, MOST_SUGGESTED);
  at('vocabulary-names').replaceChildren(...found.map((each) => make('option', '', { value: each })));
}

function showPictures() {
  const list = pictures.pictures(), place = pictures.position(), open = pictures.current();
  const done = list.filter((each) => each.done).length;
  at('progress').textContent = list.length
    ? `${place < 0 ? '–' : place + 1} of ${list.length}, ${done} done` : 'no picture';
  at('previous').disabled = place <= 0;
  at('next').disabled = place + 1 >= list.length;
  at('done').disabled = !open;
  at('done').checked = Boolean(open?.done);
  at('forget').disabled = !open?.entry.mine;
  at('title').textContent = open ? `${open.entry.name} (${open.width} × ${open.height})` : '';
  at('welcome').hidden = Boolean(open);
  at('pictures').replaceChildren(
    ...(open ? [] : [make('option', 'choose a picture', { value: -1 })]),
    ...list.map((each, number) => make('option', `${each.done ? '✓ ' : ''}${each.name}`, { value: number })),
  );
  at('pictures').value = place;
}

at('name').addEventListener('keydown', (event) => {
  if (event.key === 'Escape') shown = undefined; // what was typed is of no object
});
at('name-form').addEventListener('focusout', (event) => {
  const stays = at('name-form').contains(event.relatedTarget);
  if (!stays && shown !== (history.active()?.number ?? null)) showNames();
});
history.onChange(showObjects);
pictures.onChange(showPictures);
