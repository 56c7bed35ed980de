// Connects the controls with what they do, and begins.

import './layers.js';
import './keys.js';
import { ask } from './api.js';
import * as files from './files.js';
import * as objects from './objects.js';
import { suggest } from './panel.js';
import * as pictures from './pictures.js';
import * as session from './session.js';
import * as view from './view.js';
import { afterwards, run, say } from './work.js';

const at = (id) => document.getElementById(id);
const on = (id, event, action) => at(id).addEventListener(event, (happened) => {
  happened.preventDefault();
  run(() => action(happened));
});

/** Do something with what was typed; the keys are the picture's again. */
function onForm(id, action) {
  on(id, 'submit', () => {
    at('stage').focus();
    return action();
  });
}

on('previous', 'click', () => pictures.go(pictures.position() - 1));
on('next', 'click', () => pictures.go(pictures.position() + 1));
on('pictures', 'change', () => pictures.go(Number(at('pictures').value)));
on('forget', 'click', pictures.forget);
at('done').addEventListener('change', () => {
  const { checked } = at('done');
  run(() => pictures.setDone(checked));
});
at('upload').addEventListener('change', () => {
  const chosen = [...at('upload').files];
  at('upload').value = '';
  run(() => pictures.take(chosen));
});
onForm('vocabulary-form', () => objects.useVocabulary(at('vocabulary').value));
onForm('find-form', () => objects.find(at('text').value, Number(at('threshold').value)));
onForm('name-form', () => objects.rename(at('name').value));
on('everything', 'click', objects.everything);
on('clear', 'click', objects.clear);
on('undo', 'click', objects.undo);
on('redo', 'click', objects.redo);
on('teach', 'click', () => objects.teach(at('name').value));
on('accept', 'click', objects.accept);
on('delete', 'click', objects.removeChosen);
on('export', 'click', () => files.save(at('format').value));
at('import').addEventListener('change', () => {
  const [file] = at('import').files;
  run(async () => {
    at('import').value = '';
    if (file) await files.load(file);
  });
});
at('name').addEventListener('input', suggest);
at('name').addEventListener('focus', suggest);
at('fit').addEventListener('click', view.fit);
at('help-button').addEventListener('click', () => at('help').showModal());

const stage = at('stage');
stage.addEventListener('dragover', (event) => {
  event.preventDefault();
  stage.classList.add('drop');
});
stage.addEventListener('dragleave', () => stage.classList.remove('drop'));
stage.addEventListener('drop', (event) => {
  event.preventDefault();
  stage.classList.remove('drop');
  const dropped = [...event.dataTransfer.files];
  run(() => pictures.take(dropped));
});

afterwards(pictures.keepChanges);
pictures.onRetry((image) => run(() => pictures.sendAgain(image)));
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
