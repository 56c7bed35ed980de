// What this browser keeps of pictures: a killed tab loses nothing.
//
// A record is {image, name, file, objects, done, unsent, version}: `image` is the SHA-256 of the file,
// for an operator's picture with its name behind it; `file` is there of pictures that a person opened;
// `unsent` says that the server, which keeps a folder, does not have the objects yet,
// and `version` what it had when they were made.

const opened = new Promise((done, failed) => {
  const request = indexedDB.open('ovsam-page', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('pictures', { keyPath: 'image' });
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(new Error('this browser keeps nothing: export before you leave'));
});

async function perform(mode, action) {
  const transaction = (await opened).transaction('pictures', mode, { durability: 'strict' });
  const request = action(transaction.objectStore('pictures'));
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done(request.result);
    transaction.onabort = () => failed(
      new Error(`this browser could not keep the picture (${transaction.error?.message}): export it`),
    );
  });
}

// A browser that keeps nothing has nothing; `put` says so.
export const get = (image) => perform('readonly', (store) => store.get(image)).catch(() => undefined);
export const put = (record) => perform('readwrite', (store) => store.put(record));
export const forget = (image) => perform('readwrite', (store) => store.delete(image));
export const all = () => perform('readonly', (store) => store.getAll()).catch(() => []);
