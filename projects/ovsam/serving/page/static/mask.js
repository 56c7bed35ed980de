// A mask as a canvas of its box alone, drawn once; the browser scales it with the picture.

import { bitmap, box } from './rle.js';

const MOST_PIXELS = 2e6; // of a canvas; larger masks are drawn coarser
const INSIDE = 110; // of 255: the picture shines through

/** Red, green and blue of an object; neighbours by number differ. */
export function colour(number) {
  const hue = (number * 137.5) % 360;
  const part = (offset) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (0.55 - 0.45 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}

/** The canvas of an object, in its place in the picture; null of an empty mask. */
export function drawMask({ rle, number }) {
  const edges = box(rle);
  if (!edges) return null;
  const [left, top, right, bottom] = edges;
  const pixels = bitmap(rle), height = rle.size[0];
  const stride = Math.ceil(Math.sqrt(((right - left) * (bottom - top)) / MOST_PIXELS));
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil((right - left) / stride);
  canvas.height = Math.ceil((bottom - top) / stride);
  const border = Math.max(1, Math.round(Math.max(...rle.size) / 700 / stride));
  const inside = (x, y) => x >= 0 && y >= 0 && x < canvas.width && y < canvas.height
    && pixels[(left + x * stride) * height + top + y * stride];
  const image = new ImageData(canvas.width, canvas.height);
  const rgb = colour(number);
  for (let y = 0, place = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, place += 4) {
      if (!inside(x, y)) continue;
      const edge = !(inside(x - border, y) && inside(x + border, y)
        && inside(x, y - border) && inside(x, y + border));
      image.data.set(rgb, place);
      image.data[place + 3] = edge ? 255 : INSIDE;
    }
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
  canvas.style.width = `${canvas.width * stride}px`;
  canvas.style.height = `${canvas.height * stride}px`;
  canvas.style.transform = `translate(${left}px, ${top}px)`;
  return canvas;
}
