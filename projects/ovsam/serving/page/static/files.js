// Annotations as files: out in a format of other programs, in from COCO.

import { ask } from './api.js';
import { fromKept, toKept } from './kept.js';
import * as history from './history.js';
import { again, current } from './pictures.js';
import { say, Wrong } from './work.js';

const SHOWN = 5;

function opened() {
  const open = current();
  if (!open) throw new Wrong('There is no picture yet.');
  return open;
}

/** Save the objects of the open picture. */
export async function save(kind) {
  const { entry } = opened();
  const objects = history.objects().map(toKept);
  const content = await again(() => ask('POST', '/api/page/export', {
    image: current().image, file_name: entry.name, kind, objects,
  }));
  const stem = entry.name.split('/').pop().replace(/\.[^.]*$/, '');
  const link = document.createElement('a');
  // What is JSON comes parsed.
  const file = content instanceof Blob ? content : new Blob([JSON.stringify(content)], { type: 'application/json' });
  link.href = URL.createObjectURL(file);
  link.download = kind === 'coco' ? `${stem}_coco.json` : `${stem}_${kind}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${objects.length} object${objects.length === 1 ? '' : 's'} saved as ${link.download}`);
}

/** Add the objects that a COCO file has of the open picture. */
export async function load(file) {
  const { entry, width, height } = opened();
  let content;
  try {
    content = JSON.parse(await file.text());
  } catch {
    throw new Wrong(`${file.name} is not a JSON file.`);
  }
  const found = await ask('POST', '/api/page/import', { file_name: entry.name, size: [height, width], content });
  const fresh = found.objects.map(fromKept);
  if (fresh.length) history.commit([...history.objects(), ...fresh]);
  const left = found.left_out;
  const more = left.length > SHOWN ? ` and ${left.length - SHOWN} more` : '';
  const out = left.length ? `; ${left.length} left out: ${left.slice(0, SHOWN).join('; ')}${more}` : '';
  const what = `${fresh.length} object${fresh.length === 1 ? '' : 's'} of ${found.image || entry.name}`;
  say(`${what} from ${file.name}${out}`, left.length ? 'wrong' : '');
}
