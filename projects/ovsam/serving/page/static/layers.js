// What lies on the picture: masks, which scale with it, and names and clicks, which do not.

import * as history from './history.js';
import { drawMask, colour } from './mask.js';
import { doubtful, shownName } from './naming.js';
import { onMove, onStage } from './view.js';

const world = document.getElementById('world');
const overlay = document.getElementById('labels');
const GAP = 3;

let layers = new Map(); // of each object's mask, its canvas
let labels = []; // of each object, what stands beside it
let marks = [];

/** Bring the layers in line with the objects; masks that stay are not drawn again. */
function update() {
  const active = history.active();
  const before = layers;
  layers = new Map();
  for (const each of history.objects()) {
    const canvas = before.get(each.rle) ?? drawMask(each);
    if (canvas) {
      layers.set(each.rle, canvas);
      canvas.classList.toggle('active', each === active);
      if (!canvas.parentNode) world.append(canvas);
    }
  }
  for (const [rle, canvas] of before) if (!layers.has(rle)) canvas.remove();
  labels = history.objects().map((each) => makeLabel(each, each === active));
  marks = (active?.points ?? []).map(makeMark);
  overlay.replaceChildren(...labels.map((each) => each.element), ...marks.map((each) => each.element));
  for (const each of labels) each.size = [each.element.offsetWidth, each.element.offsetHeight];
  place();
}

function makeLabel(object, active) {
  const element = document.createElement('div');
  element.className = 'label';
  element.classList.toggle('active', active);
  element.classList.toggle('doubtful', doubtful(object));
  element.textContent = shownName(object);
  element.style.borderColor = `rgb(${colour(object.number)})`;
  element.dataset.number = object.number;
  return { element, box: object.box };
}

function makeMark([x, y, label]) {
  const element = document.createElement('div');
  element.className = label ? 'mark' : 'mark less';
  element.textContent = label ? '+' : '−';
  return { element, x, y };
}

/** Put names where they cover least: of objects, of each other, and of what is off the stage. */
function place() {
  const boxes = labels.map(({ box: [x1, y1, x2, y2] }) => [...onStage(x1, y1), ...onStage(x2, y2)]);
  const stage = [0, 0, overlay.clientWidth, overlay.clientHeight];
  const taken = [];
  labels.forEach(({ element, size: [width, height] }, number) => {
    const [x1, y1, x2, y2] = boxes[number];
    element.hidden = !shared(boxes[number], stage);
    if (element.hidden) return;
    const places = [
      [x1, y1 - height - GAP], [x1, y2 + GAP], [x2 - width, y1 - height - GAP], [x2 - width, y2 + GAP],
      [x2 + GAP, y1], [x1 - width - GAP, y1], [x2 + GAP, y2 - height], [x1 - width - GAP, y2 - height],
    ];
    const cost = ([x, y]) => {
      const mine = [x, y, x + width, y + height];
      const covered = boxes.reduce((sum, each) => sum + shared(mine, each), 0);
      return covered + 4 * taken.reduce((sum, each) => sum + shared(mine, each), 0)
        + 8 * (width * height - shared(mine, stage));
    };
    let [best, least] = [places[0], Infinity];
    for (const each of places) {
      const price = cost(each);
      if (price < least) [best, least] = [each, price];
      if (price === 0) break;
    }
    taken.push([best[0], best[1], best[0] + width, best[1] + height]);
    element.style.transform = `translate(${Math.round(best[0])}px, ${Math.round(best[1])}px)`;
  });
  for (const { element, x, y } of marks) {
    const [left, top] = onStage(x, y);
    element.style.transform = `translate(${left}px, ${top}px)`;
  }
}

function shared(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

history.onChange(update);
onMove(place);
