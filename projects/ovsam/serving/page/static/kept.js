// An object as it is kept, in the browser, on the server, and in files: COCO's annotation, with what
// the page must know to go on from it.

import { newNumber } from './history.js';
import { box } from './rle.js';

/** An object as COCO files have it. */
export function toKept(object) {
  return {
    segmentation: object.rle, category_name: object.name, score: object.score,
    alternatives: object.alternatives, predicted_iou: object.quality,
    stability_score: object.stability, points: object.points, prompt_box: object.promptBox,
    fixed: object.fixed, row: object.row,
  };
}

/** An object out of a COCO file. */
export function fromKept(kept) {
  return {
    number: newNumber(), rle: kept.segmentation, box: box(kept.segmentation) ?? [0, 0, 0, 0],
    name: kept.category_name, score: kept.score, alternatives: kept.alternatives,
    quality: kept.predicted_iou, stability: kept.stability_score, continues: null,
    points: kept.points, promptBox: kept.prompt_box, fixed: kept.fixed, row: kept.row,
  };
}
