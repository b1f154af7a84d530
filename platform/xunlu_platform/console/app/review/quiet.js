/** When nothing moves: what "skip stops and gaps" passes over. */

/** @typedef {import("./types").Span} Span */

/** Shorter rests are not worth a leap, milliseconds. */
const WORTH_MS = 60_000;

/** Spans in order, those that touch as one. @param {readonly Span[]} spans @returns {Span[]} */
export function merged(spans) {
  /** @type {Span[]} */
  const found = [];
  for (const { from_ms, to_ms } of [...spans].sort((a, b) => a.from_ms - b.from_ms)) {
    const last = found.at(-1);
    if (last && from_ms <= last.to_ms) last.to_ms = Math.max(last.to_ms, to_ms);
    else found.push({ from_ms, to_ms });
  }
  return found;
}

/** What lies in both. @param {readonly Span[]} one merged @param {readonly Span[]} other merged @returns {Span[]} */
function common(one, other) {
  const found = [];
  for (let i = 0, k = 0; i < one.length && k < other.length; ) {
    const [a, b] = [/** @type {Span} */ (one[i]), /** @type {Span} */ (other[k])];
    const span = { from_ms: Math.max(a.from_ms, b.from_ms), to_ms: Math.min(a.to_ms, b.to_ms) };
    if (span.to_ms > span.from_ms) found.push(span);
    if (a.to_ms < b.to_ms) i++;
    else k++;
  }
  return found;
}

/** What lies outside. @param {readonly Span[]} spans merged @param {Span} range @returns {Span[]} */
function rest(spans, range) {
  const found = [];
  let from_ms = range.from_ms;
  for (const span of spans) {
    if (span.from_ms > from_ms) found.push({ from_ms, to_ms: Math.min(span.from_ms, range.to_ms) });
    from_ms = Math.max(from_ms, span.to_ms);
  }
  if (from_ms < range.to_ms) found.push({ from_ms, to_ms: range.to_ms });
  return found;
}

/**
 * Times in which every subject stands, or nobody knows where they are.
 * @param {readonly import("./track.js").Track[]} tracks
 * @param {Span} range
 * @returns {Span[]} in order of time
 */
export function quietTimes(tracks, range) {
  const each = tracks.map(({ pieces, stops }) => {
    const known = pieces.map(({ t }) => ({ from_ms: t[0] ?? 0, to_ms: t.at(-1) ?? 0 }));
    return merged([...rest(merged(known), range), ...stops]);
  });
  const [first = [], ...others] = each;
  return others.reduce(common, first).filter(({ from_ms, to_ms }) => to_ms - from_ms >= WORTH_MS);
}
