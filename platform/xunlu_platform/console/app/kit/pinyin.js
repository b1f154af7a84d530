/** Matching by characters or pinyin: the server writes `zhoumin zm` beside 周敏, so every word of a query is only looked for. */

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
