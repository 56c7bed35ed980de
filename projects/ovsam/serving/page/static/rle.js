// Masks as COCO's run lengths: {size: [height, width], counts: text}. Runs go down the columns and
// lie by turns outside and inside; the text is that of rleToString in COCO's maskApi.c.

/** The lengths of a mask's runs; they add up to its pixels, or it is refused. */
export function lengths({ size: [height, width], counts }) {
  const found = [];
  for (let place = 0; place < counts.length;) {
    let number = 0, shift = 0, bits;
    do {
      bits = counts.charCodeAt(place++) - 48;
      number |= (bits & 31) << shift;
      shift += 5;
    } while (bits & 32);
    if (bits & 16 && shift < 32) number |= -1 << shift;
    if (found.length > 2) number += found[found.length - 2];
    found.push(number);
  }
  if (found.some((each) => !(each >= 0)) || found.reduce((a, b) => a + b, 0) !== height * width) {
    throw new Error('a mask is not sound');
  }
  return found;
}

function text(runs) {
  let counts = '';
  runs.forEach((run, place) => {
    let number = place > 2 ? run - runs[place - 2] : run;
    for (let more = true; more;) {
      let bits = number & 31;
      number >>= 5;
      more = bits & 16 ? number !== -1 : number !== 0;
      counts += String.fromCharCode(bits + (more ? 32 : 0) + 48);
    }
  });
  return counts;
}

/** A Uint8Array of 0 and 1, column after column: pixel x, y is at x * height + y. */
export function bitmap(rle) {
  const pixels = new Uint8Array(rle.size[0] * rle.size[1]);
  let place = 0;
  lengths(rle).forEach((run, number) => {
    if (number % 2) pixels.fill(1, place, place + run);
    place += run;
  });
  return pixels;
}

/** The mask of such an array. */
export function fromBitmap(pixels, size) {
  const runs = [];
  let start = 0, inside = 0;
  for (let place = 0; place <= pixels.length; place++) {
    if (place === pixels.length || pixels[place] !== inside) {
      runs.push(place - start);
      start = place;
      inside ^= 1;
    }
  }
  return { size, counts: text(runs) };
}

/** The box x1, y1, x2, y2 around what is inside; null of an empty mask. */
export function box(rle) {
  const height = rle.size[0];
  let place = 0, left = Infinity, top = Infinity, right = -1, bottom = -1;
  lengths(rle).forEach((run, number) => {
    if (number % 2 && run) {
      const last = place + run - 1;
      const first = Math.floor(place / height), end = Math.floor(last / height);
      left = Math.min(left, first);
      right = Math.max(right, end);
      top = Math.min(top, first === end ? place % height : 0);
      bottom = Math.max(bottom, first === end ? last % height : height - 1);
    }
    place += run;
  });
  return right < 0 ? null : [left, top, right + 1, bottom + 1];
}

/** What two masks of a picture share, of what either has: 1 if they are the same. */
export function iou(one, other) {
  const [a, b] = [lengths(one), lengths(other)];
  let [i, j, leftA, leftB, both, either] = [0, 0, a[0], b[0], 0, 0];
  while (i < a.length && j < b.length) {
    const step = Math.min(leftA, leftB);
    if (i % 2 && j % 2) both += step;
    if (i % 2 || j % 2) either += step;
    leftA -= step;
    leftB -= step;
    if (!leftA) leftA = a[++i];
    if (!leftB) leftB = b[++j];
  }
  return either ? both / either : 0;
}
