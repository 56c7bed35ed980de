// Objects and what a person does to them. An object is {number, rle, box, name, score, alternatives,
// quality, stability, points, promptBox, continues, fixed, row}; `fixed` says that another vocabulary
// leaves its name as it is; `points` and `promptBox` are what it answers; `row` is its id in the file
// that the server keeps, if it came from there.

import * as history from './history.js';
import { NONE } from './naming.js';
import { again, askAbout, current } from './pictures.js';
import { box, iou } from './rle.js';
import * as session from './session.js';
import { say, Wrong } from './work.js';

const SAME = 0.7; // masks of a larger IoU are of the same object
const TOP_K = 5;
const AT_ONCE = 200; // masks of one question; the server takes 1000

function fromFound(found, more) {
  return {
    rle: found.rle, box: found.box, quality: found.quality,
    stability: found.stability, continues: found.continues, points: [], promptBox: null,
    fixed: false, ...namesOf(found), ...more,
  };
}

const namesOf = ({ certain, name, score, alternatives }) => (
  { name: certain ? name : NONE, score, alternatives });

async function asked(what, body) {
  const { objects } = await askAbout(what, { top_k: TOP_K, masks: 'rle', ...body });
  return objects;
}

function prompted(points, promptBox, continues) {
  const places = points.map(([x, y]) => [x, y]);
  const labels = points.map(([, , label]) => label);
  return asked('click', { prompts: [{ points: places, point_labels: labels, box: promptBox, continues }] });
}

function chosen() {
  const active = history.active();
  if (!active) throw new Wrong('Choose an object first: click its name, or its row in the list.');
  return active;
}

function about(object) {
  const clicks = object.points.length;
  const how = clicks ? `, ${clicks} click${clicks === 1 ? '' : 's'}` : '';
  say(`Object ${object.number}: ${object.name} ${object.score.toFixed(2)}${how}`);
}

const counted = (count) => `${count} object${count === 1 ? '' : 's'}`;

/** Make an object by a click on it, or by a box around it. */
export async function start(points, promptBox = null) {
  const [found] = await prompted(points, promptBox, null);
  if (!box(found.rle)) throw new Wrong('Nothing was found there.');
  const made = fromFound(found, { number: history.newNumber(), points, promptBox });
  history.commit([...history.objects(), made], made.number);
  about(made);
}

/** Correct the chosen object by a click; without one, a click on an object makes it. */
export async function correct(x, y, label) {
  const old = history.active();
  if (!old) {
    if (!label) throw new Wrong('There is no object to take this from: choose one first.');
    await start([[x, y, 1]]);
    return;
  }
  const points = [...old.points, [x, y, label]];
  // Where nobody pointed at it yet, its own box says which object is meant.
  const promptBox = old.promptBox ?? (old.points.length || old.continues ? null : old.box);
  const [found] = await prompted(points, promptBox, old.continues);
  if (!box(found.rle)) throw new Wrong('Nothing would be left of the object.');
  const kept = old.fixed ? { name: old.name, score: old.score, alternatives: old.alternatives } : {};
  const made = fromFound(found, { number: old.number, row: old.row, points, promptBox, fixed: old.fixed, ...kept });
  history.exchange(made);
  about(made);
}

/** Give the chosen object, or a new one, the mask that was painted. */
export async function paint(rle) {
  const old = history.active();
  if (old ? iou(old.rle, rle) === 1 : !box(rle)) throw new Wrong('That stroke changes nothing.');
  if (!box(rle)) {
    remove(old);
    return;
  }
  const [found] = old?.fixed ? [{}] : await asked('name', { drawn: [rle] });
  const painted = { rle, box: box(rle), quality: null, stability: null, continues: null, points: [], promptBox: null };
  if (old) history.exchange({ ...old, ...painted, ...(old.fixed ? {} : namesOf(found)) });
  else {
    const made = fromFound(found, { number: history.newNumber(), ...painted });
    history.commit([...history.objects(), made], made.number);
  }
  about(history.active());
}

/** Call the chosen object something; an empty name brings the model's back. */
export function rename(text) {
  const old = chosen(), name = text.trim().replace(/\s+/g, ' ');
  if (!name && !old.alternatives.length) throw new Wrong('The model has no name for it: type one.');
  const [best] = old.alternatives;
  const named = name ? { name, score: 1, fixed: true } : { name: best[0], score: best[1], fixed: false };
  history.exchange({ ...old, ...named });
  about(history.active());
}

/** The name of the chosen object is right; the next click is for another one. */
export function accept() {
  const old = chosen();
  if (!old.fixed) rename(old.name);
  history.select(null);
  say(`${old.name} it is`);
}

function remove(object) {
  history.commit(history.objects().filter((each) => each !== object));
  say(`Object ${object.number} deleted`);
}

export const removeChosen = () => remove(chosen());

export function clear() {
  history.commit([]);
  say('All objects removed; Undo brings them back');
}

export const undo = () => say(history.undo() ? 'Undone' : 'Nothing to undo');
export const redo = () => say(history.redo() ? 'Done again' : 'Nothing to redo');

/** Add what is not there yet, of objects from the best to the worst. */
function add(found) {
  const present = history.objects();
  const fresh = found
    .filter((each) => box(each.rle) && !present.some((other) => iou(each.rle, other.rle) > SAME))
    .map((each) => ({ ...each, number: history.newNumber() }));
  if (fresh.length) history.commit([...present, ...fresh]);
  return fresh.length;
}

export async function everything() {
  say('Looking for all objects');
  const found = await asked('everything', {});
  say(`${counted(add(found.map((each) => fromFound(each))))} added`);
}

/** Add what is called so. */
export async function find(text, threshold) {
  const texts = [...new Set(text.split(',').map((each) => each.trim()).filter(Boolean))];
  if (!texts.length) throw new Wrong('Say what to find, for example: a red cat');
  say(`Looking for "${texts.join(', ')}"`);
  const found = await asked('find', { texts, threshold });
  // What was asked for by name keeps it, whatever the vocabulary.
  const count = add(found.map((each) => fromFound(each, { fixed: true, name: each.name })));
  say(`${counted(count)} of a score of ${threshold} or more, for "${texts.join(', ')}"`);
}

/** Name from other names, also what is there, but for what a person, a file or Find named. */
export async function useVocabulary(text) {
  const count = await session.use(text, async () => {
    const free = history.ofAllSteps().filter((each) => !each.fixed);
    const named = new Map();
    for (let first = 0; first < free.length; first += AT_ONCE) {
      const part = free.slice(first, first + AT_ONCE);
      const found = await asked('name', { drawn: part.map((each) => each.rle) });
      part.forEach((each, place) => named.set(each, { ...each, ...namesOf(found[place]) }));
    }
    if (named.size) history.amend(named);
  });
  say(`${count} name${count === 1 ? '' : 's'}`);
}

/** Show the model what a name means, by the chosen object. */
export async function teach(text) {
  const object = chosen(), name = text.trim().replace(/\s+/g, ' ');
  if (!name) throw new Wrong('Type the name that this is an example of.');
  const count = await again(() => session.teach(current().image, name, object.rle));
  history.exchange({ ...object, name, score: 1, fixed: true });
  say(`"${name}" is known by ${count} example${count === 1 ? '' : 's'} from now on`);
}
