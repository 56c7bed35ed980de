// The pictures: those that the operator offers and those that a person opened; which one is open;
// and that whatever is done to it is kept.

import { ask, Refused, Unreachable } from './api.js';
import * as history from './history.js';
import { fromKept, toKept } from './kept.js';
import * as session from './session.js';
import * as store from './store.js';
import * as view from './view.js';
import { run, say, Wrong } from './work.js';

const RETRY_MS = 3000;
const STALE = 'This picture was changed elsewhere since this browser worked on it without the server. '
  + 'Put what this browser has in place of that?';
const shown = document.getElementById('picture');
// Of each picture: {name, mine, image, objects, done}; `image` is known of those that were open.
let list = [], place = -1, kept = false, keptRevision = 0;
let tried = -1; // what was to be opened last, until it is open: from there it goes on
let open = null; // {entry, image, width, height, done, file, version, unsent}
let retry = 0; // the timer of sending what the server did not get
const listeners = [];

export const pictures = () => list;
export const current = () => open;
export const position = () => (tried < 0 ? place : tried);
export const onChange = (listener) => listeners.push(listener);
const changed = () => listeners.forEach((each) => each());

/** Do an action, when all earlier ones are done, with the picture that it was meant for: this one. */
export function here(action, picture = open) {
  return run(() => {
    if (open !== picture) throw new Wrong('Another picture is open by now: do it again.');
    return action();
  });
}

/** Ask the server about the open picture; what it has forgotten is told to it again. */
export async function askAbout(what, body) {
  if (!open) throw new Wrong('There is no picture yet: open one, or choose one of the list.');
  const question = async () => ask('POST', `/api/images/${open.image}/${what}`, { ...body, session: await session.key() });
  return again(question);
}

/** Do what needs the open picture and the session; if the server lacks them, do it once more. */
export async function again(question) {
  try {
    return await question();
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    session.renew();
    await send(open.entry, open.file);
    return question();
  }
}

function send(entry, file) {
  if (entry.mine) return ask('POST', '/api/images', file);
  return ask('POST', `/api/page/open?name=${encodeURIComponent(entry.name)}`);
}

/** See what there is, send what the server did not get, and go on where this browser was. */
export async function begin() {
  const offered = await ask('GET', '/api/page/pictures');
  const local = await Promise.all((await store.all()).map(moved));
  kept = offered.kept;
  list = offered.pictures.map((each) => ({ ...each, mine: false }));
  list.push(...local.filter((each) => each.file).map((each) => (
    { name: each.name, mine: true, image: each.image, done: each.done, objects: each.objects.length })));
  changed();
  const left = kept ? await sendLeft(local.filter((each) => each.unsent)) : [];
  let first = list.findIndex((each) => idOf(each) === location.hash.slice(1));
  if (first < 0 && kept) first = Math.max(0, list.findIndex((each) => !each.done));
  if (first >= 0) await go(first);
  const others = left.filter((each) => each !== open?.entry);
  if (others.length) {
    const names = others.map((each) => each.name).join(', ');
    say(`This browser has work that the server could not take: open ${names} to see it.`, 'wrong');
  }
}

/** A record of an operator's picture by content and name: earlier pages had it by content alone. */
async function moved(record) {
  if (record.file || record.image.includes('/')) return record;
  const made = { ...record, image: keyOf(record, record.image) };
  await store.put(made).then(() => store.forget(record.image)).catch(() => {});
  return made;
}

/** Send records where the server has what they were made from; gives the pictures of the others. */
async function sendLeft(records) {
  const left = [];
  for (const record of records) {
    const entry = list.find((each) => !each.mine && each.name === record.name);
    if (!entry) continue; // it is of another folder
    say(`Sending ${entry.name}`);
    try {
      const answer = await send(entry);
      const { image, version, width, height } = answer;
      if (keyOf(entry, image) !== record.image) continue; // so is this, with a picture of this name
      if (version !== record.version && !arrived(answer, record)) {
        left.push(entry);
        continue;
      }
      await sendKept(entry, record, [height, width]);
    } catch (error) {
      if (!error.expected) throw error;
      left.push(entry);
      continue;
    }
    [entry.objects, entry.done] = [record.objects.length, record.done];
    await store.put({ ...record, unsent: false }).catch(() => {});
  }
  return left;
}

/** Whether the server has what a record has: it took it, and only its answer was lost. */
function arrived(answer, { objects, done }) {
  const text = (kept) => JSON.stringify(kept, (key, value) => (key === 'row' ? null : value ?? null));
  return done === answer.done && text(objects) === text(answer.objects.map(fromKept).map(toKept));
}

const idOf = (entry) => encodeURIComponent(entry.mine ? `mine:${entry.image}` : entry.name);
/** What the record of a picture is called: copies of one picture have one each. */
const keyOf = (entry, image) => (entry.mine ? image : `${image}/${entry.name}`);

/** Open a picture of the list. */
export async function go(number) {
  const entry = list[number];
  if (!entry) return;
  if (open?.unsent) await keep(); // or stay, and hear why
  const file = entry.mine ? (await store.get(entry.image))?.file : null;
  if (entry.mine && !file) throw new Wrong(`This browser no longer has ${entry.name}: open it again.`);
  say(`Opening ${entry.name}`);
  tried = number;
  changed();
  await begun(number, await send(entry, file), file);
}

async function begun(number, answer, file) {
  const entry = list[number];
  let local = await store.get(keyOf(entry, answer.image));
  const pixels = await ask('GET', `/api/images/${answer.image}`);
  URL.revokeObjectURL(shown.src);
  shown.src = URL.createObjectURL(pixels);
  await shown.decode();
  shown.alt = entry.name;
  [place, tried] = [number, -1];
  const stale = !entry.mine && local?.unsent && local.version && local.version !== answer.version
    && !arrived(answer, local);
  if (stale && !confirm(STALE)) {
    local = { ...local, unsent: false };
    await store.put(local).catch(() => {});
  }
  open = { entry, ...answer, file };
  view.show(answer.width, answer.height);
  // What the server keeps counts, unless it did not get what this browser has.
  const mine = local && (!kept || entry.mine || local.unsent) ? local : null;
  open.done = Boolean((mine ?? answer).done);
  history.begin([]);
  history.begin(((mine ?? answer).objects ?? []).map(fromKept));
  keptRevision = history.revision;
  location.hash = idOf(entry);
  const count = history.objects().length;
  [entry.objects, entry.done] = [count, open.done];
  say(count ? `${entry.name}: ${count} object${count === 1 ? '' : 's'}` : `${entry.name}: click on an object`);
  changed();
  if (mine?.unsent) await keep();
}

/** Take files that a person opened, and show the last of them that is a picture. */
export async function take(files) {
  if (open?.unsent) await keep(); // or stay, and hear why
  let wrong = null;
  for (const file of files) {
    try {
      say(`Opening ${file.name}`);
      const answer = await sendNew(file);
      let number = list.findIndex((each) => each.mine && each.image === answer.image);
      if (number < 0) {
        number = list.push({ name: file.name, mine: true, image: answer.image, done: false, objects: 0 }) - 1;
        const local = await store.get(answer.image);
        // It opens, even where this browser cannot keep it.
        await store.put({ objects: [], done: false, ...local, image: answer.image, name: file.name, file })
          .catch((error) => { wrong ??= error; });
      }
      await begun(number, answer, file);
    } catch (error) {
      if (!error.expected) throw error;
      wrong ??= error;
    }
  }
  if (wrong) throw wrong;
}

async function sendNew(file) {
  await file.slice(0, 1).arrayBuffer().catch(() => {
    throw new Wrong(`${file.name} cannot be read: it is a folder, or was changed or moved away.`);
  });
  try {
    return await ask('POST', '/api/images', file);
  } catch (error) {
    if (error instanceof Refused) error.message = error.message.replace(/^(the picture|the request)/, file.name);
    throw error;
  }
}

/** Forget an opened picture with its objects; of the operator's, nothing. */
export async function forget() {
  if (!open?.entry.mine) throw new Wrong('Only pictures that you opened can be forgotten.');
  await store.forget(open.image);
  say(`${open.entry.name} is forgotten`);
  list.splice(place, 1);
  [open, place, tried] = [null, -1, -1];
  shown.removeAttribute('src');
  location.hash = '';
  history.begin([]);
  keptRevision = history.revision;
  changed();
}

export async function setDone(done) {
  if (!open) throw new Wrong('There is no picture yet.');
  open.done = done;
  await keep();
}

/** Keep what was done since the last time. */
export async function keepChanges() {
  if (!open || history.revision === keptRevision) return;
  keptRevision = history.revision;
  await keep();
}

async function keep() {
  const { entry, image, file, done, width, height, version } = open;
  const objects = history.objects().map(toKept);
  [entry.objects, entry.done] = [objects.length, done];
  const sent = open.unsent = kept && !entry.mine;
  changed();
  const record = {
    image: keyOf(entry, image), name: entry.name, file, objects, done, unsent: sent, version,
  };
  // The server keeps it, even where this browser cannot.
  await store.put(record).catch((error) => { if (!sent) throw error; });
  if (!sent) return;
  try {
    record.version = (await sendKept(entry, record, [height, width])).version;
  } catch (error) {
    clearTimeout(retry);
    if (error instanceof Unreachable) retry = setTimeout(() => run(sendAgain), RETRY_MS);
    throw error;
  }
  if (open?.image === image) [open.version, open.unsent] = [record.version, false];
  await store.put({ ...record, unsent: false }).catch(() => {});
}

function sendKept(entry, { objects, done }, size) {
  return ask('PUT', `/api/page/kept?name=${encodeURIComponent(entry.name)}`, { objects, done, size });
}

/** Send again what the server did not get of the open picture. */
async function sendAgain() {
  if (!open?.unsent) return;
  await keep();
  say('The server is back; your work is kept there, too.');
}
