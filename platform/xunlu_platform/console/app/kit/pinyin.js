/** Matching by characters or pinyin: the server writes `zhoumin zm` beside 周敏, so every word of a query is only looked for. */

/**
 * Whether a word of a text begins with a query: such finds are what was meant, the others may be.
 * @param {string} text in lower case
 * @param {string} query
 */
export function begins(text, query) {
  return ` ${text}`.includes(` ${query.toLowerCase()}`);
}

/**
 * Whether every word of a query occurs in a text.
 * @param {string} text in lower case
 * @param {string} query
 */
export function matches(text, query) {
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((part) => text.includes(part));
}
