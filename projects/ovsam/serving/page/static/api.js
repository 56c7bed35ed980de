// Asks the server that this page came from, and no other.

import { Wrong } from './work.js';

/** The server said no; the message is its own. */
export class Refused extends Wrong {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The server said nothing. */
export class Unreachable extends Wrong {
  constructor() {
    super('The server does not answer; your work is kept. Do it again when it is back.');
  }
}

const TRIES = 5; // of a server that has too much to do
let token = sessionStorage.getItem('token') ?? '';

/** Ask; `body` is a Blob or what JSON can hold. Gives JSON, or a Blob of anything else. */
export async function ask(method, path, body) {
  for (let attempt = 1; ; attempt++) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body !== undefined && !(body instanceof Blob)) headers['Content-Type'] = 'application/json';
    let answer, content;
    try {
      const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
      answer = await fetch(path, { method, headers, body: sent });
      content = await answer.blob();
    } catch {
      throw new Unreachable();
    }
    if (answer.ok) return content.size && content.type.includes('json') ? JSON.parse(await content.text()) : content;
    if ([502, 504].includes(answer.status)) throw new Unreachable(); // says a proxy before it
    if (answer.status === 401) {
      await askForToken();
    } else if ([429, 503].includes(answer.status) && attempt < TRIES) {
      const seconds = Number(answer.headers.get('Retry-After')) || 1;
      await new Promise((done) => setTimeout(done, 1000 * seconds));
    } else {
      throw new Refused(answer.status, await reason(answer, content));
    }
  }
}

async function reason(answer, content) {
  try {
    const said = JSON.parse(await content.text());
    return said.detail ?? said.error ?? answer.statusText;
  } catch {
    return `the server says ${answer.status} ${answer.statusText}`;
  }
}

async function askForToken() {
  const dialog = document.getElementById('ask-token');
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener('close', done, { once: true }));
  token = document.getElementById('token').value;
  sessionStorage.setItem('token', token);
}
