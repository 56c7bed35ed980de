// Painting what belongs to an object, or taking it away.

import * as history from './history.js';
import { colour } from './mask.js';
import * as objects from './objects.js';
import { bitmap, fromBitmap } from './rle.js';
import * as view from './view.js';
import { Wrong } from './work.js';

const MOST_PIXELS = 4e6; // of the canvas that shows a stroke
const size = document.getElementById('size');
const world = document.getElementById('world');

/** The brush's radius in pixels of the picture: what the slider says is of the screen. */
const radius = () => Number(size.value) / 2 / view.factor();

/** Make the brush larger or smaller. */
export function resize(by) {
  size.value = Number(size.value) * by + Math.sign(by - 1);
}

/** Begin a stroke in a picture of this size, at a place of it; `adds` or takes away. */
export function stroke(adds, width, height, x, y) {
  const coarse = Math.max(1, Math.sqrt((width * height) / MOST_PIXELS));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.ceil(width / coarse), Math.ceil(height / coarse)];
  [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
  const context = canvas.getContext('2d');
  const reach = radius();
  context.strokeStyle = adds ? `rgb(${colour(history.active()?.number ?? history.nextNumber())})` : '#888';
  context.lineWidth = (2 * reach) / coarse;
  context.lineCap = context.lineJoin = 'round';
  world.append(canvas);
  const path = [[x, y]];

  function line([fromX, fromY], [toX, toY]) {
    context.beginPath();
    context.moveTo(fromX / coarse, fromY / coarse);
    context.lineTo(toX / coarse, toY / coarse);
    context.stroke();
  }
  line(path[0], path[0]);

  return {
    /** The brush went on to here. */
    to(nextX, nextY) {
      line(path[path.length - 1], [nextX, nextY]);
      path.push([nextX, nextY]);
    },
    /** The stroke is no longer seen. */
    cancel: () => canvas.remove(),
    /** The object that is chosen by now, perhaps that of the stroke before, gets what was painted. */
    end() {
      const old = history.active();
      if (!old && !adds) throw new Wrong('Choose the object to take this from first.');
      const pixels = old ? bitmap(old.rle) : new Uint8Array(width * height);
      fill(pixels, width, height, path, reach, Number(adds));
      return objects.paint(fromBitmap(pixels, [height, width]));
    },
  };
}

/** Set all pixels that are at most `reach` from a path. */
export function fill(pixels, width, height, path, reach, value) {
  path.forEach(([toX, toY], place) => {
    const [fromX, fromY] = path[Math.max(0, place - 1)];
    const steps = Math.max(1, Math.ceil(Math.hypot(toX - fromX, toY - fromY) / Math.max(0.5, reach / 4)));
    for (let step = 0; step <= steps; step++) {
      disc(fromX + ((toX - fromX) * step) / steps, fromY + ((toY - fromY) * step) / steps);
    }
  });

  function disc(x, y) {
    const last = Math.min(width - 1, Math.floor(x + reach));
    for (let column = Math.max(0, Math.floor(x - reach)); column <= last; column++) {
      const away = column + 0.5 - x;
      if (Math.abs(away) > reach && column !== Math.floor(x)) continue;
      const half = Math.sqrt(Math.max(0.25, reach * reach - away * away));
      const first = Math.max(0, Math.round(y - half)), end = Math.min(height, Math.round(y + half));
      if (end > first) pixels.fill(value, column * height + first, column * height + end);
    }
  }
}
