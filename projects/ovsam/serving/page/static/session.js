// This person's names: a vocabulary, and what was taught. The server may forget them at any time, so
// the browser keeps them and makes another session.

import { ask, Refused } from './api.js';
import { say, Wrong } from './work.js';

let session = null, names = [], anyNames = true;
let vocabulary = localStorage.getItem('vocabulary') ?? '';
let taught = localStorage.getItem('taught');

// What another tab taught is known here, too, and not lost when this one teaches.
addEventListener('storage', (event) => {
  if (event.key === 'taught') [taught, session] = [event.newValue, null];
});

/** Whether the server names from any words, packs among them. */
export function offer(info) {
  anyNames = info.any_names;
}

/** What the person typed; empty for the server's own names. */
export const typed = () => vocabulary;

/** All names in use. */
export const allNames = () => names;

/** Forget the server's session: the next question makes another. */
export function renew() {
  session = null;
}

/** The session's key, which is made where it is needed. */
export async function key() {
  if (session === null) await make(vocabulary);
  return session;
}

/** Name from these from now on, if `naming`, which asks with them already, goes well. */
export async function use(text, naming) {
  const before = [session, names, vocabulary];
  try {
    await make(text);
    if (!/[,+\n]/.test(text) && names.includes(text.trim())) {
      throw new Wrong(anyNames
        ? `There is no pack "${text.trim()}": write names with commas between them, or a pack such as coco or lvis.`
        : 'One name alone has nothing to be told from: write several with commas between them.');
    }
    vocabulary = text;
    await naming();
  } catch (error) {
    [session, names, vocabulary] = before;
    throw error;
  }
  localStorage.setItem('vocabulary', text);
  return names.length;
}

/** Show what a name means: a mask in a picture that the server has. */
export async function teach(image, name, mask) {
  const answer = await ask('POST', `/api/sessions/${await key()}/taught`, { image, name, mask });
  taught = answer.taught;
  localStorage.setItem('taught', taught);
  for (const each of Object.keys(answer.examples)) if (!names.includes(each)) names.push(each);
  return answer.examples[name] ?? 1;
}

async function make(text) {
  const wanted = { vocabulary: text.trim() || null, taught };
  let answer;
  try {
    answer = await ask('POST', '/api/sessions', wanted);
  } catch (error) {
    if (!(error instanceof Refused && taught && error.message.startsWith('what was taught'))) throw error;
    taught = null; // to another model, for which it stays in storage
    say(error.message, 'wrong');
    answer = await ask('POST', '/api/sessions', { ...wanted, taught });
  }
  ({ session, names } = answer);
}
