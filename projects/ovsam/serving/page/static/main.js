// Connects the controls with what they do, and begins.

import './layers.js';
import './keys.js';
import { ask } from './api.js';
import * as files from './files.js';
import * as objects from './objects.js';
import { suggest, withShown } from './panel.js';
import * as pictures from './pictures.js';
import * as session from './session.js';
import * as view from './view.js';
import { afterwards, run, say } from './work.js';

const { here } = pictures;
const at = (id) => document.getElementById(id);

/** Have an action done by `run`, `here` or `withShown` with what the fields hold when it is asked for. */
function on(id, event, doing, action, ...fields) {
  at(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    const values = fields.map((each) => at(each).value);
    doing(() => action(...values));
    if (fields.length) at('stage').focus(); // the keys are the picture's again
  });
}

on('previous', 'click', run, () => pictures.go(pictures.position() - 1));
on('next', 'click', run, () => pictures.go(pictures.position() + 1));
on('forget', 'click', here, pictures.forget);
at('pictures').addEventListener('change', () => {
  const { value } = at('pictures');
  run(() => pictures.go(Number(value)));
});
at('done').addEventListener('change', () => {
  const { checked } = at('done');
  here(() => pictures.setDone(checked));
});
at('upload').addEventListener('change', () => {
  const chosen = [...at('upload').files];
  at('upload').value = '';
  run(() => pictures.take(chosen));
});
on('vocabulary-form', 'submit', run, objects.useVocabulary, 'vocabulary');
on('find-form', 'submit', here, (text, threshold) => objects.find(text, Number(threshold)), 'text', 'threshold');
on('name-form', 'submit', withShown, objects.rename, 'name');
on('everything', 'click', here, objects.everything);
on('clear', 'click', here, objects.clear);
on('undo', 'click', here, objects.undo);
on('redo', 'click', here, objects.redo);
on('teach', 'click', withShown, objects.teach, 'name');
on('accept', 'click', withShown, objects.accept);
on('delete', 'click', withShown, objects.removeChosen);
at('export').addEventListener('click', () => {
  const { value } = at('format');
  here(() => files.save(value));
});
at('import').addEventListener('change', () => {
  const [file] = at('import').files;
  at('import').value = '';
  if (file) here(() => files.load(file));
});
at('name').addEventListener('input', suggest);
at('name').addEventListener('focus', () => {
  suggest();
  if (!session.allNames().length) run(() => session.key().then(suggest)); // nothing was asked yet
});
at('fit').addEventListener('click', view.fit);
at('help-button').addEventListener('click', () => at('help').showModal());

const stage = at('stage');
// Beside the picture, too: there the browser would leave the page and show the file.
document.addEventListener('dragover', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  stage.classList.add('drop');
});
document.addEventListener('dragleave', () => stage.classList.remove('drop'));
document.addEventListener('drop', (event) => {
  if (!event.dataTransfer.types.includes('Files')) return;
  event.preventDefault();
  stage.classList.remove('drop');
  const dropped = [...event.dataTransfer.files];
  run(() => pictures.take(dropped));
});

afterwards(pictures.keepChanges);
run(async () => {
  const info = await ask('GET', '/api/info');
  at('notice').textContent = info.notice ?? '';
  at('teach').disabled = !info.teachable;
  if (!info.teachable) at('teach').title = 'This model cannot learn names by example';
  at('vocabulary').value = session.typed();
  session.offer(info);
  at('vocabulary').placeholder = `the server's ${info.names} names; or ${info.any_names ? 'yours, or a pack' : 'some of them'}`;
  if (!info.any_names) at('text').placeholder = 'what to find: one of the names';
  say('Open a picture, or choose one of the list.');
  await pictures.begin();
});
document.body.dataset.ready = 'true';
