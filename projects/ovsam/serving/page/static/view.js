// Where the picture is on the screen. Picture and masks are one element that is moved and scaled as
// a whole, so a frame costs the same whatever is in it.

const stage = document.getElementById('stage');
const world = document.getElementById('world');
const LARGEST = 40, STEP = 1.0015, STILL_MS = 200;

let scale = 1, left = 0, top = 0, width = 0, height = 0;
let fitted = true; // until it is moved or scaled: then it stays so when the stage's size changes
let stageWidth = 0, stageHeight = 0;
let frame = 0, still = 0;
const listeners = [];

/** Do something whenever the view has moved. */
export const onMove = (listener) => listeners.push(listener);

export const factor = () => scale;

/** Pixels of the screen, from the stage's corner, of a place in the picture. */
export const onStage = (x, y) => [left + x * scale, top + y * scale];

/** The place in the picture of a mouse event; it may lie outside. */
export function inPicture(event) {
  const corner = stage.getBoundingClientRect();
  return [(event.clientX - corner.left - left) / scale, (event.clientY - corner.top - top) / scale];
}

/** Begin with a picture of this size. */
export function show(pictureWidth, pictureHeight) {
  [width, height] = [pictureWidth, pictureHeight];
  world.style.width = `${width}px`;
  world.style.height = `${height}px`;
  fit();
}

/** See all of the picture. */
export function fit() {
  scale = Math.min((stage.clientWidth - 20) / width, (stage.clientHeight - 20) / height, 8);
  left = (stage.clientWidth - width * scale) / 2;
  top = (stage.clientHeight - height * scale) / 2;
  moved();
  fitted = true;
}

/** Move by pixels of the screen. */
export function pan(x, y) {
  left += x;
  top += y;
  moved();
}

/** Scale around a place of the stage; its middle if not given. */
export function zoom(by, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  const smallest = Math.min(1, stage.clientWidth / width / 2, stage.clientHeight / height / 2);
  const next = Math.min(LARGEST, Math.max(smallest, scale * by));
  left = x - ((x - left) * next) / scale;
  top = y - ((y - top) * next) / scale;
  scale = next;
  moved();
}

function moved() {
  fitted = false;
  world.classList.add('moving'); // drawn anew, and sharp, when it is still
  clearTimeout(still);
  still = setTimeout(() => world.classList.remove('moving'), STILL_MS);
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    world.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    for (const each of listeners) each();
  });
}

stage.addEventListener('wheel', (event) => {
  event.preventDefault();
  const corner = stage.getBoundingClientRect();
  const lines = event.deltaMode ? 30 : 1;
  zoom(STEP ** (-event.deltaY * lines), event.clientX - corner.left, event.clientY - corner.top);
}, { passive: false });
new ResizeObserver(() => {
  const [wider, higher] = [stage.clientWidth - stageWidth, stage.clientHeight - stageHeight];
  [stageWidth, stageHeight] = [stage.clientWidth, stage.clientHeight];
  if (!width) return;
  if (fitted) fit();
  else pan(wider / 2, higher / 2); // what was in the middle stays there
}).observe(stage);
