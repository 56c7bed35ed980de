// The objects of the open picture, which of them is chosen, and what was done to them. Objects are
// never changed, so a step is a list of them.

const STEPS = 200; // that are kept

let past = [], undone = [];
let step = { objects: [], active: null };
let lastNumber = 0;
const listeners = [];

/** Counts whatever must be kept; looking at things is not counted. */
export let revision = 0;

export const objects = () => step.objects;
export const active = () => step.objects.find((each) => each.number === step.active) ?? null;
export const nextNumber = () => lastNumber + 1;
export const newNumber = () => ++lastNumber;
export const onChange = (listener) => listeners.push(listener);

function changed() {
  for (const each of listeners) each();
}

/** Begin with the objects of another picture. */
export function begin(found) {
  past = [];
  undone = [];
  step = { objects: found, active: null };
  lastNumber = Math.max(0, ...found.map((each) => each.number));
  changed();
}

/** Take a step; what was undone before is gone. */
export function commit(list, number = null) {
  past = [...past.slice(1 - STEPS), step];
  undone = [];
  step = { objects: list, active: number };
  revision++;
  changed();
}

/** Put an object in the place of that of its number; it becomes the chosen one. */
export function exchange(object) {
  commit(step.objects.map((each) => (each.number === object.number ? object : each)), object.number);
}

/** All objects of this step and of those that can be gone back or on to, each once. */
export const ofAllSteps = () => [...new Set([step, ...past, ...undone].flatMap((each) => each.objects))];

/** Put others in the place of objects, by a Map, in all steps; that cannot be undone. */
export function amend(others) {
  const amended = (each) => ({ ...each, objects: each.objects.map((old) => others.get(old) ?? old) });
  [past, undone, step] = [past.map(amended), undone.map(amended), amended(step)];
  revision++;
  changed();
}

/** Choose an object by its number; null for none. */
export function select(number) {
  step = { ...step, active: number };
  changed();
}

function move(from, to) {
  if (!from.length) return false;
  to.push(step);
  step = from.pop();
  revision++;
  changed();
  return true;
}

export const undo = () => move(past, undone);
export const redo = () => move(undone, past);
