/** Matching by pinyin: `zhou min`, `zhoumin` and `zm` all find 周敏. The server writes the syllables, with spaces. */

/**
 * @param {string | null | undefined} syllables
 * @returns {string[]}
 */
export function pinyinForms(syllables) {
  if (!syllables) return [];
  const parts = syllables.toLowerCase().split(/\s+/).filter(Boolean);
  return [parts.join(" "), parts.join(""), parts.map((part) => part[0]).join("")];
}

/**
 * Whether every word of a query occurs in a text.
 * @param {string} text in lower case
 * @param {string} query
 */
export function matches(text, query) {
  return query.toLowerCase().split(/\s+/).every((part) => text.includes(part));
}
