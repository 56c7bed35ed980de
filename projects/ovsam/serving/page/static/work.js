// One action after the other, so that no press is lost. `data-busy` of the body says how many are
// not done yet; tests and style sheets look at it.

let tail = Promise.resolve();
let pending = 0;
const after = [];

/** Say something in the line below the picture; `wrong` marks what was not done. */
export function say(message, kind = '') {
  const status = document.getElementById('status');
  status.textContent = message;
  status.dataset.kind = kind;
}

/** Do an action when all earlier ones are done; what it throws is said. */
export function run(action) {
  document.body.dataset.busy = ++pending;
  tail = tail.then(() => action()).then(async () => {
    for (const each of after) await each();
  }).catch((error) => {
    if (!error.expected) console.error(error);
    say(error.message, 'wrong');
  }).finally(() => {
    document.body.dataset.busy = --pending;
  });
  return tail;
}

/** Do something behind every action. */
export function afterwards(action) {
  after.push(action);
}

/** What a person may do wrong, in words for them. */
export class Wrong extends Error {
  expected = true;
}
