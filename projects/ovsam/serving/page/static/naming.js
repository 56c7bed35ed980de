// What the page calls an object, and which names are to be doubted.

const LOW = 0.3;
export const NONE = 'none of these';

/** Whether a name should be looked at: its score is low, or no name fits. */
export const doubtful = ({ score, name }) => score < LOW || name === NONE;

/** A name with its score, and a question mark where it is to be doubted. */
export function shownName(object) {
  const score = object.score === 1 ? '' : ` ${object.score.toFixed(2)}`;
  return `${object.name}${score}${doubtful(object) ? ' ?' : ''}`;
}
