/** Labels share the ground: first come, first served. */

/** Left, top, width, height. @typedef {[number, number, number, number]} Box */

/** Take a place for a label when nobody else has it. @param {Box[]} taken @param {Box} box */
export function takes(taken, box) {
  const [x, y, width, height] = box;
  if (taken.some(([left, top, wide, high]) => x < left + wide && left < x + width && y < top + high && top < y + height)) return false;
  taken.push(box);
  return true;
}
